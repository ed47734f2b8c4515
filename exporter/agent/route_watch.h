#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/resolver.h"
#include "metrics/snapshot.h"
#include "route/judgement.h"

namespace ue::agent {

/// Follows where the kernel sends each destination of `routes:` and each tunnel's server, and says so in the
/// log when that changes. Names are resolved again and again. Owned by the Agent, on the loop's thread; asks
/// the kernel only when an event may have changed an answer, at most twenty times a second.
class RouteWatch {
 public:
  struct Hooks {
    std::function<void(const std::vector<IpAddress>&)> watch;  ///< tell of events about these from now on
    std::function<void()> changed;                             ///< a destination takes another way
  };
  RouteWatch(boost::asio::io_context& loop, Hooks hooks);
  ~RouteWatch();
  RouteWatch(const RouteWatch&) = delete;
  RouteWatch& operator=(const RouteWatch&) = delete;

  /// What the configuration says; an entry that it leaves alone keeps its counters. Names of tunnels.
  void apply(const std::vector<config::Route>& routes, const std::vector<std::string>& tunnels);
  /// The uplinks that there are now; call it whenever they may have changed.
  void set_uplinks(std::vector<config::Uplink> uplinks);
  /// The server's address that a tunnel's client uses, "ADDRESS:PORT"; anything else means not known.
  void set_remote(const std::string& tunnel, const std::string& endpoint);
  /// The kernel told of something that may change an answer.
  void look_soon(bool rules_changed);
  void add_to(metrics::Snapshot& snapshot) const;

 private:
  struct Entry {
    config::Route route;
    bool of_tunnel = false;
    std::string endpoint;            ///< of a tunnel
    std::optional<IpAddress> asked;  ///< absent while a name has no address yet
    std::optional<Family> family;    ///< in which the name is resolved
    std::unique_ptr<Resolver> resolver;
    std::optional<route::Judgement> now;
    std::uint64_t changes = 0;
  };

  void resolve(Entry& entry);
  void look_up_all();
  bool look_up(Entry& entry, bool& broken);
  bool take(Entry& entry, route::Judgement found);
  void fail(const std::string& fault);

  boost::asio::io_context& loop_;
  Hooks hooks_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer::time_point free_at_{};  ///< not before it asks again
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<IpAddress> watched_;
  std::vector<config::Uplink> uplinks_;
  std::optional<uplink::NetlinkSocket> socket_;
  std::optional<std::vector<route::Rule>> rules_;  ///< absent: to be read
  std::string fault_;
  bool scheduled_ = false;
  /// A wait that has ended already is still called after a reload has replaced us.
  std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace ue::agent
