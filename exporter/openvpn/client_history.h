#pragma once
#include <cstddef>
#include <deque>
#include <optional>
#include <string>

#include "openvpn/diagnosis.h"
#include "openvpn/event.h"
#include "openvpn/traffic_meter.h"
#include "openvpn/tunnel_state.h"

namespace ue::openvpn {

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
    bool left = false;              ///< the process left instead of restarting (--ping-exit)
    bool refused = false;           ///< a port was closed meanwhile
    bool wrong_source = false;      ///< packets came back from an address that was not asked
    int unsent = 0;                 ///< errno: packets did not leave this host
  };
  /// What is known of sessions that fall silent one after the other, newest first.
  struct Silences {
    std::size_t all = 0;    ///< in a row
    std::size_t alike = 0;  ///< ... of them with lifetimes like the newest one's
    Nanos newest{};
    Nanos longest{};  ///< of those alike
  };
  static bool fell_silent(const Ending& e);
  template <typename Fits>
  std::size_t newest(Fits&& fits) const;
  void end(const Event& event, const TunnelState& before, WallTime now);
  Silences silences(const TunnelState& state) const;
  Finding attempts(const TunnelState& state) const;
  Finding loop(const TunnelState& state) const;

  std::deque<Ending> endings_;  ///< newest last
  Ending open_;
  bool auth_failed_ = false;
  bool left_silent_ = false;            ///< the process before this one left because nothing came in
  std::optional<std::string> unheard_;  ///< the counters show that nothing comes in; with figures
  bool shared_ = false;   ///< ... since when another client with this certificate may have arrived
  bool looping_ = false;  ///< ... and did so in the session before
};

}  // namespace ue::openvpn
