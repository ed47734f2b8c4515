#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/resolver.h"
#include "metrics/snapshot.h"
#include "route/judgement.h"
#include "route/monitor.h"

namespace ue::agent {

/// Follows where the kernel sends each destination of `routes:`, and says so in the log when that changes.
/// Names are resolved again and again. Owned by the Agent, on the loop's thread; asks the kernel only when
/// an event may have changed an answer, at most twenty times a second.
class RouteWatch {
 public:
  RouteWatch(boost::asio::io_context& loop, std::vector<config::Route> routes);
  ~RouteWatch();
  RouteWatch(const RouteWatch&) = delete;
  RouteWatch& operator=(const RouteWatch&) = delete;

  /// The uplinks that there are now; call it whenever they may have changed.
  void set_uplinks(std::vector<config::Uplink> uplinks);
  void add_to(metrics::Snapshot& snapshot) const;

 private:
  struct Entry {
    config::Route route;
    std::optional<IpAddress> asked;  ///< absent while a name has no address yet
    std::optional<Family> family;    ///< in which the name is resolved
    std::unique_ptr<Resolver> resolver;
    std::optional<route::Judgement> now;
    std::uint64_t changes = 0;
  };

  void open();
  void wait();
  void look_soon();
  void look_up_all();
  void take(Entry& entry, route::Judgement found);

  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_;
  std::vector<Entry> entries_;
  std::vector<IpAddress> watched_;
  std::vector<config::Uplink> uplinks_;
  std::optional<route::Monitor> monitor_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> readable_;
  std::optional<uplink::NetlinkSocket> socket_;
  std::string fault_;
  bool scheduled_ = false;
  /// A wait that has ended already is still called after a reload has replaced us.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace ue::agent
