#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"

namespace ue::reflector {

/// Names up to `capacity` things that are due at some time within kSpan. Everything is allocated at the
/// start; adding and taking cost a constant each. A hashed wheel: a slot a tick, and what is due in a later
/// turn waits for its own. Owned by whoever keeps the things; passive, told the time.
class TimerWheel {
 public:
  static constexpr Nanos kTick = std::chrono::milliseconds(4);
  /// Beyond this something is due too far away to be asked for: ten minutes and a little.
  static constexpr Nanos kSpan = std::chrono::seconds(601);

  explicit TimerWheel(std::uint32_t capacity);

  /// Nothing where all names are taken, or `due` lies more than kSpan ahead.
  std::optional<std::uint32_t> add(Instant now, Instant due);
  /// The name of something that is due by `now` (to the tick), which is free again. Call it until it returns
  /// nothing.
  std::optional<std::uint32_t> take(Instant now);
  /// When take() may next return something; nothing while nothing waits. Never later than due.
  std::optional<Instant> next() const;
  std::uint32_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kSlots = 4096;  ///< 16 s a turn
  static constexpr std::uint32_t kNone = 0xffffffff;
  struct Entry {
    std::int64_t tick = 0;
    std::uint32_t next = kNone;
  };
  static std::int64_t tick_of(Instant t) { return t.time_since_epoch() / kTick; }
  void collect(std::int64_t tick, std::int64_t last);
  std::uint32_t& slot(std::int64_t tick) { return slots_[static_cast<std::size_t>(tick) % kSlots]; }

  std::vector<Entry> entries_;
  std::vector<std::uint32_t> slots_;
  std::uint32_t ready_ = kNone;  ///< taken out of their slots, due
  std::uint32_t free_ = kNone;
  std::uint32_t unused_ = 0;  ///< entries from here on were never used, so that memory grows with what waits
  std::uint32_t size_ = 0;
  std::int64_t reached_ = 0;  ///< every earlier tick is done
};

}  // namespace ue::reflector
