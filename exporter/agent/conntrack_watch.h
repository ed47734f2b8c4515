#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "metrics/snapshot.h"
#include "probe/mapping_lifetime.h"
#include "route/conntrack.h"
#include "route/flow_ledger.h"
#include "route/flow_share.h"
#include "route/tracker_fault.h"
#include "uplink/interfaces.h"

namespace ue::agent {

/// Follows the kernel's connection tracker: the table's figures, which anybody may read, and the UDP flows of
/// each uplink that nothing answers, for which CAP_NET_ADMIN is needed; without it that is off and says so
/// once. Tries again every minute. Owned by the Agent, on the loop's thread.
class ConntrackWatch {
 public:
  using Open = std::function<Result<route::ConntrackMonitor>(
      int& code, const std::function<void(const route::FlowEvent&)>& standing)>;

  explicit ConntrackWatch(boost::asio::io_context& loop, Open open = route::ConntrackMonitor::open)
      : loop_(loop), open_(std::move(open)) {}
  ~ConntrackWatch();
  ConntrackWatch(const ConntrackWatch&) = delete;
  ConntrackWatch& operator=(const ConntrackWatch&) = delete;

  /// A flow is its uplink's by the address that the uplink's interface has; call it when either changes.
  void set_uplinks(const std::vector<config::Uplink>& uplinks, const uplink::Inventory& inventory);
  /// Where our own probes go.
  void set_own(std::set<Endpoint> own) { ledger_.set_own(std::move(own)); }
  /// Call it often: it settles flows once a second, and reads the figures every five.
  void tick(Instant now);
  void add_to(metrics::Snapshot& snapshot) const;

  /// Nothing while no flow has ever been tracked: without a rule that asks for it the kernel tracks none.
  std::optional<probe::TrackerTimeouts> timeouts() const;
  /// What of the table loses UDP. `keepalive` is the longest silence that the tunnel leaves.
  std::vector<route::TrackerFault> faults(Nanos keepalive) const;
  /// Other programs' flows through an uplink in the last two minutes.
  route::Bystanders bystanders(const std::string& uplink) const;

 private:
  struct Reading {
    Instant at;
    route::ConntrackTable table;
  };
  void read_table(Instant now);
  void open(Instant now);
  void turn_off(const std::string& reason, bool optional);
  void close();
  void wait();
  void take_events();

  boost::asio::io_context& loop_;
  Open open_;
  std::optional<route::ConntrackMonitor> monitor_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> ready_;
  route::FlowLedger ledger_;
  route::FlowShare share_;
  std::optional<route::ConntrackTable> table_;
  std::deque<Reading> readings_;  ///< of the last minute
  bool tracks_ = false;
  std::uint64_t overruns_ = 0;
  std::uint64_t lost_before_ = 0;  ///< events, by sockets that are closed
  std::string fault_ = "not tried yet";
  bool optional_ = true;
  bool watched_ = false;  ///< events have been watched at some time
  Instant open_at_{};
  Instant settle_at_{};
  Instant read_at_{};
};

}  // namespace ue::agent
