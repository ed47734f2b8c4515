#include "route/device_routes.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>

namespace ue::route {

namespace {

constexpr std::size_t kSome = 3;

bool leads_into(const std::array<nlattr*, RTA_MAX + 1>& attributes, int ifindex) {
  if (attributes[RTA_OIF] != nullptr) return static_cast<int>(nla_get_u32(attributes[RTA_OIF])) == ifindex;
  bool found = false;
  if (attributes[RTA_MULTIPATH] != nullptr) {
    uplink::for_each_next_hop(attributes[RTA_MULTIPATH],
                              [&](const uplink::NextHop& hop) { found = found || hop.ifindex == ifindex; });
  }
  return found;
}

std::string destination(const rtmsg& header, nlattr* attribute) {
  if (header.rtm_dst_len == 0) return "default";
  const auto address = uplink::read_address(attribute);
  if (!address) return "?";
  return header.rtm_dst_len == address->bits()
             ? address->to_string()
             : fmt::format("{}/{}", address->to_string(), header.rtm_dst_len);
}

}  // namespace

void add_device_route(nlmsghdr* message, int ifindex, DeviceRoutes& routes) {
  if (message->nlmsg_type != RTM_NEWROUTE || !nlmsg_valid_hdr(message, sizeof(rtmsg))) return;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  if (header.rtm_type != RTN_UNICAST || header.rtm_protocol == RTPROT_KERNEL ||
      (header.rtm_flags & RTM_F_CLONED) != 0)
    return;
  std::array<nlattr*, RTA_MAX + 1> attributes{};
  if (nlmsg_parse(message, sizeof header, attributes.data(), RTA_MAX, nullptr) != 0) return;
  if (!leads_into(attributes, ifindex)) return;
  ++routes.count;
  if (routes.some.size() < kSome) routes.some.push_back(destination(header, attributes[RTA_DST]));
}

Result<DeviceRoutes> read_device_routes(uplink::NetlinkSocket& socket, int ifindex) {
  DeviceRoutes routes;
  for (const auto family : {AF_INET, AF_INET6}) {
    const auto before = routes;
    rtmsg header{};
    header.rtm_family = static_cast<unsigned char>(family);
    uplink::Request request(RTM_GETROUTE, NLM_F_DUMP, header);
    request.u32(RTA_OIF, static_cast<std::uint32_t>(ifindex));
    const int code = socket.transact(
        request, [&](nlmsghdr* m) { add_device_route(m, ifindex, routes); }, [&] { routes = before; });
    // ENODEV: it is gone. Without IPv6 in the kernel there are no such routes.
    if (code != 0 && code != ENODEV && code != EOPNOTSUPP && code != EAFNOSUPPORT)
      return errno_error("reading a device's routes from the kernel", code);
  }
  return routes;
}

std::string black_hole(const DeviceRoutes& routes, const TunnelStanding& tunnel) {
  if (routes.count == 0 || (tunnel.held && tunnel.state.empty())) return {};
  std::string names;
  for (const auto& name : routes.some) names += (names.empty() ? "" : ", ") + name;
  if (routes.count > routes.some.size())
    names += fmt::format(" and {} more", routes.count - routes.some.size());
  const auto cause = tunnel.held
                         ? fmt::format("OpenVPN {} is not connected ({})", tunnel.tunnel, tunnel.state)
                         : fmt::format("no process holds that device");
  const auto cure =
      tunnel.held
          ? fmt::format("its log says why; without persist-tun the routes would go with the session")
          : fmt::format("start OpenVPN {}, or run \"ip link set {} down\"", tunnel.tunnel, tunnel.device);
  return fmt::format("{} {} ({}) into {} and {}: what takes {} is lost; {}", routes.count,
                     routes.count == 1 ? "route leads" : "routes lead", names, tunnel.device, cause,
                     routes.count == 1 ? "it" : "them", cure);
}

}  // namespace ue::route
