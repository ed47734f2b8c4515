#include "uplink/routed_gateways.h"

#include <linux/rtnetlink.h>

#include <array>
#include <map>
#include <utility>

#include "uplink/address_kind.h"
#include "uplink/netlink.h"

namespace ue::uplink {

namespace {

using KnownGateways = std::map<std::pair<int, IpAddress>, RoutedGateway>;

void note(const RoutedGateway& route, KnownGateways& known) {
  const auto [entry, first] = known.try_emplace({route.ifindex, route.gateway}, route);
  if (!first && route.to_public && !entry->second.to_public) entry->second = route;
}

void add_gateways(nlmsghdr* message, KnownGateways& known) {
  if (message->nlmsg_type != RTM_NEWROUTE || !nlmsg_valid_hdr(message, sizeof(rtmsg))) return;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  if (header.rtm_type != RTN_UNICAST || is_default_route(message)) return;
  std::array<nlattr*, RTA_MAX + 1> attributes{};
  if (nlmsg_parse(message, sizeof header, attributes.data(), RTA_MAX, nullptr) != 0) return;
  const auto destination = read_address(attributes[RTA_DST]);
  if (!destination) return;
  const auto add = [&](const NextHop& hop) {
    if (hop.gateway)
      note({hop.ifindex, *hop.gateway, *destination, header.rtm_dst_len,
            address_kind(*destination) == "public"},
           known);
  };
  if (attributes[RTA_MULTIPATH] != nullptr) {
    for_each_next_hop(attributes[RTA_MULTIPATH], add);
  } else if (attributes[RTA_OIF] != nullptr) {
    add({static_cast<int>(nla_get_u32(attributes[RTA_OIF])),
         read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA]), false});
  }
}

}  // namespace

Result<std::vector<RoutedGateway>> read_routed_gateways() {
  auto socket = NetlinkSocket::open();
  if (!socket) return Error{socket.error()};
  KnownGateways known;
  rtmsg header{};
  header.rtm_family = AF_UNSPEC;
  const int code = socket->transact(
      Request(RTM_GETROUTE, NLM_F_DUMP, header), [&](nlmsghdr* m) { add_gateways(m, known); },
      [&] { known.clear(); });
  if (code != 0) return errno_error("reading the routes from the kernel", code);
  std::vector<RoutedGateway> gateways;
  for (const auto& [key, gateway] : known) gateways.push_back(gateway);
  return gateways;
}

}  // namespace ue::uplink
