#pragma once
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "config/config.h"
#include "openvpn/diagnosis.h"
#include "openvpn/log_follower.h"
#include "openvpn/session_tracker.h"
#include "openvpn/source_state.h"
#include "openvpn/tunnel_state.h"

namespace ue::openvpn {

/// One configured OpenVPN instance: its sources of events, and what they amount to. Owned by the agent, on
/// the loop's thread. It only reads; nothing is ever sent to the daemon. A source may fail alone.
class Tunnel {
 public:
  explicit Tunnel(const config::Tunnel& tunnel);

  /// Reads what is new. True: more is waiting, so poll again without a pause; else once a second is often
  /// enough.
  bool poll(const Now& now);

  const std::string& name() const { return name_; }
  const TunnelState& state() const { return tracker_.state(); }
  /// Every configured source, whether it works or not.
  const std::map<Source, SourceState>& sources() const { return sources_; }
  const SessionTracker& tracker() const { return tracker_; }
  /// What is wrong with a client, as of the newest poll; of a server nothing is concluded yet.
  const Finding& finding() const { return finding_; }

 private:
  std::string name_;
  std::optional<LogFollower> log_;
  SessionTracker tracker_;
  ClientHistory history_;
  Finding finding_;
  std::map<Source, SourceState> sources_;
};

}  // namespace ue::openvpn
