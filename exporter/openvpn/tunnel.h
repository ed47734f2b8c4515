#pragma once
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "config/config.h"
#include "openvpn/client_history.h"
#include "openvpn/client_ledger.h"
#include "openvpn/event_merger.h"
#include "openvpn/fixed_port.h"
#include "openvpn/journal_follower.h"
#include "openvpn/log_follower.h"
#include "openvpn/management_client.h"
#include "openvpn/server_history.h"
#include "openvpn/session_tracker.h"
#include "openvpn/source_state.h"
#include "openvpn/status_follower.h"
#include "openvpn/traffic_meter.h"
#include "openvpn/tunnel_state.h"

namespace ue::openvpn {

/// One configured OpenVPN instance: its sources, and what they amount to. Owned by the agent, on the loop's
/// thread. A source may fail alone; what several tell counts once. It acts on nothing: a management socket is
/// asked for its history and its counters only.
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
  /// What is wrong, as of the newest poll.
  const Finding& finding() const { return finding_; }
  /// Byte counters of a client; nothing while no source tells them.
  const TrafficMeter* traffic() const;
  /// Of a server; empty() while no source tells its clients.
  const ClientLedger& ledger() const { return ledger_; }
  /// Grows with everything that was learned.
  std::uint64_t revision() const { return revision_; }

 private:
  void take(Event event, Channel channel, bool history, const Now& now);
  void apply(const Event& event, const Now& now);
  void take_clients(const StatusReport& report, const Now& now);
  bool poll_management(const Now& now);
  void conclude(const Now& now);

  std::string name_;
  std::optional<LogFollower> log_;
  std::optional<JournalFollower> journal_;
  std::optional<StatusFollower> status_;
  std::optional<ManagementClient> management_;
  std::uint64_t greetings_ = 0;
  EventMerger merger_;
  FixedPort fixed_port_;
  SessionTracker tracker_;
  ClientHistory client_history_;
  ServerHistory server_history_;
  TrafficMeter status_traffic_;
  TrafficMeter management_traffic_;
  ClientLedger ledger_;
  Finding finding_;
  std::map<Source, SourceState> sources_;
  std::optional<WallTime> began_;  ///< the watch: what happened before counts for nothing
  std::uint64_t revision_ = 0;
  std::uint64_t concluded_ = 0;  ///< revision of the newest finding
  Instant concluded_at_{};
};

}  // namespace ue::openvpn
