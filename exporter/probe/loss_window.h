#pragma once
#include <array>
#include <cstdint>

#include "base/time.h"

namespace ue::probe {

enum class Outcome : std::uint8_t { answered, forward_lost, return_lost, unattributed };

/// Settled probes of the last two minutes by outcome, for the figures that people read. Passive.
class LossWindow {
 public:
  struct Totals {
    std::uint64_t answered = 0;
    std::uint64_t forward_lost = 0;
    std::uint64_t return_lost = 0;
    std::uint64_t unattributed = 0;
    std::uint64_t all() const { return answered + forward_lost + return_lost + unattributed; }
  };

  void record(Instant now, Outcome outcome);
  Totals totals(Instant now) const;

 private:
  static constexpr std::size_t kSlots = 8;
  static constexpr Nanos kSlot = std::chrono::seconds(15);
  struct Slot {
    std::int64_t number = -1;
    Totals totals;
  };
  Totals sum(std::int64_t newest) const;

  std::array<Slot, kSlots> slots_{};
  std::int64_t newest_ = -1;
  Totals sum_before_;  ///< of the slots that count while that one is filled
};

}  // namespace ue::probe
