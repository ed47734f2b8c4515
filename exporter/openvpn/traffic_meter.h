#pragma once
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace ue::openvpn {

/// What a client's byte counters amount to: totals that survive a new session, and when something last came
/// in. Pure; one for each source that tells counters, owned by a Tunnel.
class TrafficMeter {
 public:
  /// Nothing comes in although the client sends: its pings go unanswered.
  struct Silence {
    Nanos lasted{};           ///< since the reading that last showed something new
    std::uint64_t sends = 0;  ///< readings since then that showed something sent
  };

  /// Octets that went over the wire, since the process or its session began: a counter that went back has
  /// begun anew. What was counted before the first reading is nobody's.
  void observe(std::uint64_t received, std::uint64_t sent, const Now& now);

  std::uint64_t received() const { return received_; }  ///< since the first reading
  std::uint64_t sent() const { return sent_; }
  /// Of the last reading that showed more received than the one before; none yet: nothing.
  const std::optional<WallTime>& last_received() const { return last_received_; }
  /// As of `now`; nothing before two readings.
  std::optional<Silence> silence(Instant now) const;
  bool empty() const { return !seen_; }

 private:
  struct Reading {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
  };
  std::optional<Reading> seen_;
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  std::optional<WallTime> last_received_;
  Instant news_{};  ///< of the reading that last showed something received
  std::uint64_t sends_ = 0;
};

}  // namespace ue::openvpn
