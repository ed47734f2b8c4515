#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "openvpn/event.h"
#include "openvpn/traffic_meter.h"
#include "openvpn/tunnel_state.h"

namespace ue::openvpn {

enum class Diagnosis : std::uint8_t {
  healthy,
  one_way_loop,
  no_return,
  auth_failure,
  shared_common_name,
  keepalive_mismatch,
  wrong_reply_source,
  server_restart,
  disconnected,
  unknown,
};
std::string_view name(Diagnosis d);

struct Finding {
  Diagnosis diagnosis = Diagnosis::unknown;
  std::string why;  ///< a sentence with its figures
};

/// Remembers how a client's newest attempts ended and concludes from it. Pure, bounded; owned by whoever owns
/// the tunnel's SessionTracker. It guesses nothing: what fits no pattern is unknown.
class ClientHistory {
 public:
  static constexpr std::size_t kMaxEndings = 16;

  /// Every event, with the tracker's state as it was before that event.
  void apply(const Event& event, const TunnelState& before, WallTime now);
  /// What the byte counters say, where a source tells them; whenever they were read.
  void observe(const TunnelState& state, const TrafficMeter::Silence& silence, WallTime now);
  Finding diagnose(const TunnelState& state, WallTime now) const;

 private:
  struct Ending {
    Reason reason = Reason::other;
    From from = From::other;
    std::optional<Nanos> lifetime;  ///< of the session that ended
    bool silent_peer = false;       ///< a named peer fell silent
    bool refused = false;           ///< a port was closed meanwhile
  };
  static bool fell_silent(const Ending& e);
  template <typename Fits>
  std::size_t newest(Fits&& fits) const;

  std::deque<Ending> endings_;  ///< newest last
  Ending open_;
  bool auth_failed_ = false;
  bool wrong_source_ = false;
  std::optional<std::string> unheard_;  ///< the counters show that nothing comes in; with figures
  bool looping_ = false;                ///< ... and did so in the session before
};

}  // namespace ue::openvpn
