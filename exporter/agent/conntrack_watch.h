#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "metrics/snapshot.h"
#include "route/conntrack.h"
#include "route/flow_ledger.h"
#include "uplink/interfaces.h"

namespace ue::agent {

/// Follows the kernel's connection tracker: the table's figures, which anybody may read, and the UDP flows of
/// each uplink that nothing answers, for which CAP_NET_ADMIN is needed; without it that is off and says so
/// once. Tries again every minute. Owned by the Agent, on the loop's thread.
class ConntrackWatch {
 public:
  explicit ConntrackWatch(boost::asio::io_context& loop) : loop_(loop) {}
  ~ConntrackWatch();
  ConntrackWatch(const ConntrackWatch&) = delete;
  ConntrackWatch& operator=(const ConntrackWatch&) = delete;

  /// A flow is its uplink's by the address that the uplink's interface has; call it when either changes.
  void set_uplinks(const std::vector<config::Uplink>& uplinks, const uplink::Inventory& inventory);
  /// Call it often: it settles flows once a second, and reads the figures every five.
  void tick(Instant now);
  void add_to(metrics::Snapshot& snapshot) const;
  const std::optional<route::ConntrackTable>& table() const { return table_; }

 private:
  void open(Instant now);
  void turn_off(const std::string& reason, bool optional);
  void wait();
  void take_events();

  boost::asio::io_context& loop_;
  std::optional<route::ConntrackMonitor> monitor_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> ready_;
  route::FlowLedger ledger_;
  std::optional<route::ConntrackTable> table_;
  std::uint64_t overruns_ = 0;
  std::string fault_ = "not tried yet";
  bool optional_ = true;
  bool watched_ = false;  ///< events have been watched at some time
  Instant open_at_{};
  Instant settle_at_{};
  Instant read_at_{};
};

}  // namespace ue::agent
