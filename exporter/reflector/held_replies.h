#pragma once
#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "reflector/request.h"
#include "reflector/shared_counts.h"
#include "reflector/timer_wheel.h"

namespace ue::reflector {

/// What became of a request to hold the reply back. The label values are the enumerators' names.
enum class HoldOutcome : std::uint8_t {
  held,  ///< taken; it ends as one of the next two
  sent,
  dropped,        ///< when its time came its session or key was gone
  not_validated,  ///< this and what follows are answered at once, and the reply says so
  too_long,       ///< the request is longer than kMaxRequest
  session_full,
  key_full,
  prefix_full,
  table_full,
};
inline constexpr std::size_t kHoldOutcomes = 9;
std::string_view name(HoldOutcome outcome);

/// A request whose reply is to go out later, with all that the reply needs.
struct Held {
  static constexpr std::size_t kMaxRequest = 256;

  std::array<std::uint8_t, kMaxRequest> octets;
  std::size_t size = 0;
  Datagram datagram;  ///< its bytes are octets
  SessionId session;
  Instant since{};
  Instant due{};
};

/// Replies that wait, within limits for each session, key and source prefix, and overall. Memory grows with
/// what waits, up to the limit, and is never given back. Owned by the core; passive.
class HeldReplies {
 public:
  static constexpr std::uint16_t kMaxPerSession = 64;
  static constexpr std::uint32_t kMaxHoldMs = 600'000;

  HeldReplies(const config::ReflectorLimits& limits, std::shared_ptr<SharedCounts> counts);

  /// Of these only the numbers for a key and for a prefix can change while it runs.
  void set_limits(const config::ReflectorLimits& limits);
  /// HoldOutcome::held, or why not. `since` is when the request arrived. `session` counts what it holds.
  HoldOutcome hold(Instant since, Nanos time, const Datagram& datagram, Session& session);
  /// What is due; valid until the next call of anything. The caller takes it off its session's count.
  const Held* take(Instant now);
  std::optional<Instant> next() const { return wheel_.next(); }
  std::uint32_t size() const { return wheel_.size(); }

 private:
  using Prefix = std::uint64_t;
  static Prefix prefix_of(const IpAddress& address);
  void release(const Owner& owner, Prefix prefix);

  TimerWheel wheel_;
  std::vector<Held> held_;
  std::uint32_t per_key_limit_ = 0;
  std::uint32_t per_prefix_limit_ = 0;
  std::shared_ptr<SharedCounts> counts_;
};

}  // namespace ue::reflector
