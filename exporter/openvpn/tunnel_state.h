#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/time.h"
#include "openvpn/event.h"

namespace ue::openvpn {

enum class Role : std::uint8_t { unknown, client, server };

/// Durations of ended sessions, ready for a histogram: counts[i] lasted (bounds[i-1], bounds[i]] seconds, the
/// last count is of everything longer. The bounds lie close where keepalive time-outs are usual (10 s to 5
/// min).
struct SessionDurations {
  static constexpr std::array<double, 16> kBounds{5,   10,  15,  20,  30,  45,   60,    90,
                                                  120, 150, 180, 300, 600, 1800, 10800, 86400};
  std::array<std::uint64_t, kBounds.size() + 1> counts{};
  double sum = 0;  ///< seconds

  void add(Nanos duration);
  std::uint64_t count() const;
};

/// Reconnects by reason and by the state that they left.
using ReconnectCounts = std::array<std::array<std::uint64_t, kFroms>, kReasons>;

/// All that is known of one tunnel. Counters begin at 0 when the watch begins, and only grow.
struct TunnelState {
  Role role = Role::unknown;
  State state = State::unknown;
  ReconnectCounts reconnects{};
  std::uint64_t handshakes_started = 0;  ///< = completed + failed + those under way now
  std::uint64_t handshakes_completed = 0;
  std::uint64_t handshakes_failed = 0;  ///< time-outs, and those that a restart cut off
  std::uint64_t soft_resets = 0;
  std::uint64_t endpoint_changes = 0;  ///< client: of the server's address; server: of its clients' addresses
  std::uint64_t sessions = 0;          ///< client: initialisations completed; server: arrivals of clients
  SessionDurations session_durations;  ///< client only
  std::optional<WallTime> last_connected;     ///< when the newest session began
  std::optional<WallTime> last_disconnected;  ///< when the newest session ended
  std::optional<Nanos> keepalive_ping;        ///< as the client applies it
  std::optional<Nanos> keepalive_restart;
  bool push_told = false;  ///< a PUSH_REPLY was seen, so that without server_ping the server sends none
  std::optional<Nanos> server_ping;  ///< as the server has said of itself

  std::uint64_t reconnect_count(Reason reason, From from) const {
    return reconnects[static_cast<std::size_t>(reason)][static_cast<std::size_t>(from)];
  }
};

}  // namespace ue::openvpn
