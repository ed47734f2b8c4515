#include "uplink/discovery.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>

#include "uplink/probe_route.h"

namespace ue::uplink {

namespace {

// IFLA_INFO_KIND of rtnetlink. OpenVPN's tap devices are of kind tun too.
constexpr std::array<std::string_view, 16> kTunnelKinds{
    "tun", "wireguard", "gre",  "gretap", "ip6gre", "ip6gretap", "ipip",   "ip6tnl",
    "sit", "vti",       "vti6", "xfrm",   "erspan", "vxlan",     "geneve", "ovpn"};

bool is_unique_local(const IpAddress& address) {
  return !address.is_v4() && (address.bytes()[0] & 0xfe) == 0xfc;
}

/// The main table first, then the lowest metric, as an unmarked packet would see them.
const DefaultRoute* best_route(const Inventory& inventory, int ifindex, Family family) {
  const DefaultRoute* best = nullptr;
  const auto rank = [](const DefaultRoute& r) {
    return std::tuple(r.table != RT_TABLE_MAIN, r.metric, r.table);
  };
  for (const auto& route : inventory.default_routes) {
    if (route.ifindex != ifindex || route.family != family) continue;
    if (best == nullptr || rank(route) < rank(*best)) best = &route;
  }
  return best;
}

std::optional<IpAddress> choose_source(const Link& link, Family family,
                                       const std::optional<IpAddress>& gateway, const DefaultRoute* route) {
  const Address* best = nullptr;
  const auto rank = [&](const Address& a) {
    const bool preferred = route != nullptr && route->preferred_source == a.address;
    const bool near_gateway = gateway && a.address.is_v4() && in_prefix(*gateway, a.address, a.prefix_length);
    return std::tuple(!preferred, is_unique_local(a.address), a.temporary, !near_gateway, a.secondary);
  };
  for (const auto& a : link.addresses) {
    if (a.address.family() != family || !a.global || !a.usable || a.deprecated) continue;
    if (best == nullptr || rank(a) < rank(*best)) best = &a;
  }
  if (best == nullptr) return std::nullopt;
  return best->address;
}

std::string find_fault(const config::Uplink& uplink, const UplinkState& state, const Link* link) {
  const auto& name = uplink.interface;
  const auto* family = uplink.family == Family::ipv4 ? "IPv4" : "IPv6";
  if (link == nullptr) return fmt::format("interface {} does not exist", name);
  if (!link->up) return fmt::format("interface {} is switched off (ip link set {} up)", name, name);
  if (!link->carrier) return fmt::format("{} has no carrier (look at its cable, modem or router)", name);
  if (!state.source)
    return fmt::format("{} has no {} address (look at its DHCP client or router)", name, family);
  if (!state.has_route) {
    return fmt::format(
        "no {}default route through {} in any table and no gateway: configured (set `gateway:` of uplink {})",
        uplink.family == Family::ipv6 ? "IPv6 " : "", name, uplink.name);
  }
  return {};
}

}  // namespace

bool is_tunnel(const Link& link) {
  return std::find(kTunnelKinds.begin(), kTunnelKinds.end(), link.kind) != kTunnelKinds.end();
}

std::vector<config::Uplink> discover(const Inventory& inventory) {
  std::vector<config::Uplink> uplinks;
  for (const auto& route : inventory.default_routes) {
    const auto* link = inventory.find(route.ifindex);
    if (link == nullptr || link->loopback || is_tunnel(*link)) continue;
    if (!route.gateway && !link->point_to_point) continue;
    config::Uplink uplink;
    uplink.name = route.family == Family::ipv4 ? link->name : link->name + "_v6";
    uplink.interface = link->name;
    uplink.family = route.family;
    uplinks.push_back(std::move(uplink));
  }
  const auto key = [](const config::Uplink& u) { return std::tie(u.interface, u.family); };
  std::sort(uplinks.begin(), uplinks.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  const auto same = [&](const auto& a, const auto& b) { return key(a) == key(b); };
  uplinks.erase(std::unique(uplinks.begin(), uplinks.end(), same), uplinks.end());
  return uplinks;
}

UplinkState resolve(const config::Uplink& uplink, const Inventory& inventory) {
  UplinkState state;
  const auto* link = inventory.find(uplink.interface);
  if (link != nullptr) {
    const auto* route = best_route(inventory, link->index, uplink.family);
    state.present = true;
    state.link_up = link->up && link->carrier;
    state.point_to_point = link->point_to_point;
    state.ifindex = link->index;
    state.gateway = uplink.gateway ? uplink.gateway : route != nullptr ? route->gateway : std::nullopt;
    state.source = choose_source(*link, uplink.family, state.gateway, route);
    for (const auto& r : inventory.default_routes) {
      if (r.ifindex != link->index || r.family != uplink.family ||
          r.table == kProbeTableBase + static_cast<std::uint32_t>(link->index) ||
          (uplink.gateway && r.gateway != uplink.gateway))
        continue;
      const auto [best, first] = state.default_routes.try_emplace(r.table, r.metric);
      if (!first) best->second = std::min(best->second, r.metric);
    }
    state.default_route = !state.default_routes.empty();
    state.has_route = state.gateway.has_value() || link->point_to_point;
  }
  state.fault = find_fault(uplink, state, link);
  return state;
}

bool same_binding(const UplinkState& a, const UplinkState& b) {
  return a.present == b.present && a.ifindex == b.ifindex && a.source == b.source;
}

}  // namespace ue::uplink
