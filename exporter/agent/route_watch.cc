#include "agent/route_watch.h"

#include <net/if.h>

#include <algorithm>
#include <array>

#include "base/log.h"

namespace ue::agent {

namespace {

/// A change is seen within this; a route that flaps costs no more than a look-up in this time.
constexpr auto kPause = std::chrono::milliseconds(50);

std::string interface_name(int index) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(static_cast<unsigned>(index), name.data()) != nullptr ? name.data() : "";
}

}  // namespace

RouteWatch::RouteWatch(boost::asio::io_context& loop, std::vector<config::Route> routes)
    : loop_(loop), timer_(loop) {
  for (auto& route : routes) {
    Entry entry;
    if (const auto target = route::Target::parse(route.destination)) entry.asked = target->sample();
    entry.route = std::move(route);
    entries_.push_back(std::move(entry));
  }
  if (!entries_.empty()) open();
}

RouteWatch::~RouteWatch() {
  timer_.cancel();
  if (readable_) readable_->release();  // the descriptor is the monitor's own
}

void RouteWatch::open() {
  auto monitor = route::Monitor::open();
  auto socket = uplink::NetlinkSocket::open();
  if (!monitor || !socket) {
    fault_ = !monitor ? monitor.error() : socket.error();
    log::warn("ROUTES_NOT_WATCHED", "the destinations of routes: are not watched: {}", fault_);
    return;
  }
  socket_.emplace(std::move(*socket));
  monitor_.emplace(std::move(*monitor));
  readable_ = std::make_unique<boost::asio::posix::stream_descriptor>(loop_, monitor_->fd());
  wait();
}

void RouteWatch::wait() {
  readable_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                        [this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
                          if (error || alive.expired()) return;
                          if (monitor_->drain(watched_)) look_soon();
                          wait();
                        });
}

void RouteWatch::look_soon() {
  if (scheduled_) return;
  scheduled_ = true;
  timer_.expires_after(kPause);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& cancelled) {
    if (cancelled || alive.expired()) return;
    scheduled_ = false;
    look_up_all();
  });
}

void RouteWatch::set_uplinks(std::vector<config::Uplink> uplinks) {
  uplinks_ = std::move(uplinks);
  for (auto& entry : entries_) {
    if (route::Target::parse(entry.route.destination)) continue;
    // A name is resolved in the family of the uplink that it must leave through.
    const auto found = std::find_if(uplinks_.begin(), uplinks_.end(),
                                    [&](const auto& u) { return u.name == entry.route.uplink; });
    const auto family = found != uplinks_.end() ? found->family : entry.family.value_or(Family::ipv4);
    if (entry.family == family) continue;
    entry.family = family;
    entry.asked.reset();
    entry.now.reset();
    const auto index = static_cast<std::size_t>(&entry - entries_.data());
    entry.resolver = std::make_unique<Resolver>(loop_, HostPort{entry.route.destination, 1}, family,
                                                [this, index](const Endpoint& endpoint) {
                                                  entries_[index].asked = endpoint.address;
                                                  look_up_all();
                                                });
    entry.resolver->start();
  }
  look_up_all();
}

void RouteWatch::look_up_all() {
  if (!socket_) return;
  watched_.clear();
  for (auto& entry : entries_) {
    if (!entry.asked) continue;
    watched_.push_back(*entry.asked);
    take(entry, route::judge(entry.route.destination, *entry.asked, entry.route.uplink, uplinks_,
                             route::look_up(*socket_, *entry.asked), interface_name));
  }
}

void RouteWatch::take(Entry& entry, route::Judgement found) {
  if (entry.now == found) return;
  if (entry.now) ++entry.changes;
  if (found.match) {
    log::info("ROUTE_MATCHES", "{}", found.reason);
  } else {
    log::warn("ROUTE_MISMATCH", "{}", found.reason);
  }
  entry.now = std::move(found);
}

void RouteWatch::add_to(metrics::Snapshot& snapshot) const {
  if (entries_.empty()) return;
  for (const auto& entry : entries_) {
    metrics::Route out;
    out.destination = entry.route.destination;
    out.expected = entry.route.uplink;
    out.changes = entry.changes;
    if (entry.now) {
      out.match = entry.now->match;
      out.uplink = entry.now->uplink;
      out.interface = entry.now->interface;
      out.gateway = entry.now->gateway;
      out.table = entry.now->table;
      out.reason = entry.now->reason;
    }
    snapshot.routes.push_back(std::move(out));
  }
  snapshot.collectors.push_back({"routes", fault_.empty(), fault_});
  if (monitor_) snapshot.netlink_overruns += monitor_->overruns();
}

}  // namespace ue::agent
