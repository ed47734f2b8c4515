#include "uplink/route_check.h"

#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ue::uplink {

namespace {

rtmsg query_header(const IpAddress& destination, const std::optional<IpAddress>& source) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(to_af(destination.family()));
  header.rtm_dst_len = destination.bits();
  if (source) header.rtm_src_len = source->bits();
  return header;
}

void read_route(nlmsghdr* message, int ifindex, RouteCheck& check) {
  if (message->nlmsg_type != RTM_NEWROUTE || !nlmsg_valid_hdr(message, sizeof(rtmsg))) return;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  std::array<nlattr*, RTA_MAX + 1> attributes{};
  if (nlmsg_parse(message, sizeof header, attributes.data(), RTA_MAX, nullptr) != 0) return;
  check.table = attributes[RTA_TABLE] != nullptr ? nla_get_u32(attributes[RTA_TABLE]) : header.rtm_table;
  if (attributes[RTA_OIF] != nullptr) check.ifindex = static_cast<int>(nla_get_u32(attributes[RTA_OIF]));
  check.gateway = read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA]);
  if (attributes[RTA_MULTIPATH] != nullptr) {
    for_each_next_hop(attributes[RTA_MULTIPATH], [&](const NextHop& hop) {
      if (ifindex != 0 && hop.ifindex != ifindex) return;
      check.ifindex = hop.ifindex;
      check.gateway = hop.gateway;
    });
  }
  check.routed = true;
}

RouteCheck ask(NetlinkSocket& socket, const RouteQuery& query) {
  auto header = query_header(query.destination, query.source);
  // The route itself is asked for, not the resulting next hop: only so is "no route" told from "on the link".
  header.rtm_flags = RTM_F_FIB_MATCH;
  if (query.destination.is_v4()) header.rtm_flags |= RTM_F_LOOKUP_TABLE;  // IPv6 tells the table unasked
  Request request(RTM_GETROUTE, 0, header);
  request.address(RTA_DST, query.destination);
  if (query.ifindex != 0) request.u32(RTA_OIF, static_cast<std::uint32_t>(query.ifindex));
  if (query.source) request.address(RTA_SRC, *query.source);
  if (query.fwmark != 0) request.u32(RTA_MARK, query.fwmark);
  RouteCheck check;
  check.code = socket.transact(request, [&](nlmsghdr* m) { read_route(m, query.ifindex, check); });
  if (check.code == 0 && query.ifindex != 0 && check.ifindex != query.ifindex) check.code = ENETUNREACH;
  check.routed = check.routed && check.code == 0;
  if (!check.routed) check.reason = std::strerror(check.code != 0 ? check.code : ENOENT);
  return check;
}

}  // namespace

RouteCheck check_route(NetlinkSocket& socket, const RouteQuery& query) {
  const auto check = ask(socket, query);
  if (check.routed || query.destination.is_v4() || !query.source) return check;
  // IPv6 holds a question that names a source less strictly to the interface than a bound socket, and may
  // answer with another interface's route before it comes to the rule that the socket would find.
  auto unnamed = query;
  unnamed.source.reset();
  return ask(socket, unnamed);
}

ReplyCheck check_reply(NetlinkSocket& socket, const RouteQuery& query) {
  ReplyCheck check;
  if (!query.source || !query.destination.is_v4()) {
    check.accepted = true;
    return check;
  }
  Request request(RTM_GETROUTE, 0, query_header(*query.source, query.destination));
  request.address(RTA_DST, *query.source)
      .address(RTA_SRC, query.destination)
      .u32(RTA_IIF, static_cast<std::uint32_t>(query.ifindex));
  check.code = socket.transact(request);
  check.accepted = check.code == 0;
  // A refusing reverse path filter says EXDEV, from about Linux 6.13 on EINVAL.
  if (check.code == EXDEV || check.code == EINVAL) {
    check.reason = "the reverse path filter (rp_filter=1) drops them";
  } else if (!check.accepted) {
    check.reason = std::strerror(check.code);
  }
  return check;
}

Result<RouteCheck> check_route(const RouteQuery& query) {
  auto socket = NetlinkSocket::open();
  if (!socket) return Error{socket.error()};
  return check_route(*socket, query);
}

Result<RouteCheck> check_route(const IpAddress& destination, int ifindex, std::uint32_t fwmark,
                               const std::optional<IpAddress>& source) {
  return check_route(RouteQuery{destination, ifindex, fwmark, source});
}

Result<ReplyCheck> check_reply(const RouteQuery& query) {
  auto socket = NetlinkSocket::open();
  if (!socket) return Error{socket.error()};
  return check_reply(*socket, query);
}

}  // namespace ue::uplink
