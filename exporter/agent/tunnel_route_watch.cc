#include "agent/tunnel_route_watch.h"

#include <algorithm>

#include "base/log.h"

namespace ue::agent {

namespace {

/// A reconnect takes some seconds, in which nobody calls the routes wrong.
constexpr Nanos kReconnect = std::chrono::seconds(10);
/// Beside a full Internet table a look takes long; it may not take more than a twentieth of the time.
constexpr Nanos kLookPause = std::chrono::seconds(1);
constexpr int kPauseFactor = 20;

}  // namespace

void TunnelRouteWatch::set(const std::map<std::string, Tunnel>& tunnels, const uplink::Inventory& inventory,
                           Instant now) {
  std::erase_if(entries_, [&](const auto& entry) { return tunnels.count(entry.first) == 0; });
  std::vector<int> links;
  for (const auto& [name, tunnel] : tunnels) {
    auto& entry = entries_[name];
    const auto* link = tunnel.device.empty() ? nullptr : inventory.find(tunnel.device);
    const int ifindex = link != nullptr ? link->index : 0;
    if (ifindex != entry.ifindex) {
      entry.routes.reset();
      stale_ = true;
    }
    entry.tunnel = tunnel;
    entry.ifindex = ifindex;
    // A device that is switched off has no routes of IPv4, and its carrier says nothing.
    entry.held = link == nullptr || link->carrier || !link->up;
    const bool apart = tunnel.state != "connected" && tunnel.state != "unknown";
    if (!apart) entry.apart_since.reset();
    if (apart && !entry.apart_since) entry.apart_since = now;
    if (ifindex != 0 && std::find(links.begin(), links.end(), ifindex) == links.end())
      links.push_back(ifindex);
  }
  // First the subscription, then the look: a change in between is told of.
  if (links != links_) watch_(links_ = links);
  if (stale_ && now >= free_at_) look(now);
  for (auto& [name, entry] : entries_) judge(name, entry, now);
}

void TunnelRouteWatch::look(Instant now) {
  stale_ = false;
  const auto began = read_clocks().mono;
  for (auto& [name, entry] : entries_) {
    if (entry.ifindex == 0) continue;
    if (!socket_) {
      auto socket = uplink::NetlinkSocket::open();
      if (!socket) {
        fault_ = socket.error();
        return;
      }
      socket_.emplace(std::move(*socket));
    }
    auto routes = route::read_device_routes(*socket_, entry.ifindex);
    if (!routes) {
      if (fault_ != routes.error())
        log::warn("TUNNEL_ROUTES_NOT_READ", "routes into tunnels are not watched: {}", routes.error());
      fault_ = routes.error();
      socket_.reset();  // a late answer would be taken for that to the next question
      stale_ = true;
      break;
    }
    fault_.clear();
    entry.routes = std::move(*routes);
  }
  free_at_ = now + std::max(kLookPause, (read_clocks().mono - began) * kPauseFactor);
}

void TunnelRouteWatch::judge(const std::string& name, Entry& entry, Instant now) {
  std::string fault;
  if (entry.routes) {
    const bool apart = entry.apart_since && now - *entry.apart_since >= kReconnect;
    fault = route::black_hole(*entry.routes,
                              {name, entry.tunnel.device, apart ? entry.tunnel.state : "", entry.held});
  }
  if (fault.empty() != entry.fault.empty()) {
    if (fault.empty()) {
      log::info("TUNNEL_ROUTES_LIVE", "tunnel {}: no route leads into a black hole any more", name);
    } else {
      log::warn("TUNNEL_BLACK_HOLE", "{}", fault);
    }
  }
  entry.fault = std::move(fault);
}

void TunnelRouteWatch::add_to(metrics::Tunnel& tunnel) const {
  const auto found = entries_.find(tunnel.name);
  if (found == entries_.end() || found->second.tunnel.device.empty()) return;
  const auto& entry = found->second;
  if (entry.ifindex == 0) tunnel.routes = 0;  // they went with the device
  if (entry.routes) tunnel.routes = entry.routes->count;
  tunnel.routes_fault = entry.fault;
}

void TunnelRouteWatch::add_to(metrics::Snapshot& snapshot) const {
  if (!links_.empty()) snapshot.collectors.push_back({"tunnel_routes", fault_.empty(), fault_});
}

}  // namespace ue::agent
