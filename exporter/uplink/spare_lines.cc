#include "uplink/spare_lines.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "uplink/address_kind.h"
#include "uplink/discovery.h"

namespace ue::uplink {

namespace {

constexpr std::array<std::string_view, 3> kHomeKinds{"bridge", "dummy", "vrf"};

bool has_default_route(const Inventory& inventory, int ifindex, Family family) {
  return std::any_of(inventory.default_routes.begin(), inventory.default_routes.end(),
                     [&](const DefaultRoute& r) { return r.ifindex == ifindex && r.family == family; });
}

std::optional<RoutedGateway> best_router(const Link& link, Family family,
                                         const std::vector<RoutedGateway>& gateways) {
  std::optional<RoutedGateway> best;
  for (const auto& g : gateways) {
    if (g.ifindex != link.index || g.gateway.family() != family) continue;
    if (!best || (g.to_public && !best->to_public)) best = g;
  }
  return best;
}

/// 192.168.10.1 of 192.168.10.0/24: who has it is a LAN's router nearly always.
bool is_routers_own(const Address& a) {
  if (!a.address.is_v4() || a.prefix_length > 30 || address_kind(a.address) != "private") return false;
  return (a.address.v4_value() & (0xffffffffU >> a.prefix_length)) == 1;
}

bool may_be_a_line(const Link& link, Family family, const std::optional<RoutedGateway>& router) {
  if (router && router->to_public) return true;
  return family == Family::ipv4 &&
         std::find(kHomeKinds.begin(), kHomeKinds.end(), link.kind) == kHomeKinds.end() &&
         std::none_of(link.addresses.begin(), link.addresses.end(), is_routers_own);
}

}  // namespace

std::vector<SpareLine> spare_lines(const Inventory& inventory, const std::vector<RoutedGateway>& gateways) {
  std::vector<SpareLine> lines;
  for (const auto& link : inventory.links) {
    if (!link.up || link.loopback || is_tunnel(link)) continue;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
      config::Uplink uplink;
      uplink.interface = link.name;
      uplink.family = family;
      const auto router = best_router(link, family, gateways);
      if (has_default_route(inventory, link.index, family) || !may_be_a_line(link, family, router)) continue;
      if (router) uplink.gateway = router->gateway;
      // The address that its probes would have.
      if (const auto source = resolve(uplink, inventory).source)
        lines.push_back({link.name, family, *source, !link.point_to_point, router});
    }
  }
  std::stable_sort(lines.begin(), lines.end(), [](const SpareLine& a, const SpareLine& b) {
    return a.router.has_value() && !b.router.has_value();
  });
  return lines;
}

}  // namespace ue::uplink
