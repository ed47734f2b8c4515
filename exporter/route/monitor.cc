#include "route/monitor.h"

#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include <algorithm>
#include <array>
#include <string>

#include "uplink/netlink.h"

namespace ue::route {

namespace {

bool covers(const IpAddress& network, unsigned length, const IpAddress& address) {
  if (network.family() != address.family()) return false;
  const auto& a = network.bytes();
  const auto& b = address.bytes();
  const unsigned whole = length / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  return length % 8 == 0 || ((a[whole] ^ b[whole]) >> (8 - length % 8)) == 0;
}

bool covers_watched(nlmsghdr* message, const std::vector<IpAddress>& watched) {
  if (!nlmsg_valid_hdr(message, sizeof(rtmsg))) return false;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  if (header.rtm_family != AF_INET && header.rtm_family != AF_INET6) return false;
  const auto family = header.rtm_family == AF_INET ? Family::ipv4 : Family::ipv6;
  if (header.rtm_dst_len > (family == Family::ipv4 ? 32 : 128)) return false;
  auto network = family == Family::ipv4 ? IpAddress::v4(0) : IpAddress::v6({});
  if (header.rtm_dst_len != 0) {
    auto* attribute = nlmsg_find_attr(message, sizeof header, RTA_DST);
    const auto read = attribute != nullptr ? uplink::read_address(attribute) : std::nullopt;
    if (!read) return false;
    network = *read;
  }
  return std::any_of(watched.begin(), watched.end(),
                     [&](const auto& address) { return covers(network, header.rtm_dst_len, address); });
}

struct Drain {
  const std::vector<IpAddress>* watched;
  bool changed = false;
};

int on_event(nl_msg* message, void* argument) {
  auto* drain = static_cast<Drain*>(argument);
  if (!drain->changed) drain->changed = concerns(nlmsg_hdr(message), *drain->watched);
  return NL_OK;
}

constexpr int kReceiveBuffer = 1 << 20;  // about a thousand route events, whose skb counts about 1 KiB each

}  // namespace

bool concerns(nlmsghdr* message, const std::vector<IpAddress>& watched) {
  switch (message->nlmsg_type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return covers_watched(message, watched);
    case RTM_NEWLINK:
    case RTM_DELLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      return true;
    default:
      return false;
  }
}

Result<Monitor> Monitor::open() {
  Monitor monitor(nl_socket_alloc());
  nl_sock* s = monitor.socket_.get();
  if (s == nullptr) return Error{"opening a netlink socket: out of memory"};
  nl_socket_disable_seq_check(s);
  nl_socket_disable_msg_peek(s);
  nl_socket_set_msg_buf_size(s, 32768);
  int code = nl_connect(s, NETLINK_ROUTE);
  if (code == 0) code = nl_socket_set_buffer_size(s, kReceiveBuffer, 0);
  constexpr std::array kGroups{RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                               RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                               RTNLGRP_IPV6_RULE};
  for (const auto group : kGroups) {
    if (code == 0) code = nl_socket_add_membership(s, group);
  }
  // Kernels before 5.3 have no next-hop objects.
  if (code == 0) (void)nl_socket_add_membership(s, RTNLGRP_NEXTHOP);
  if (code == 0) code = nl_socket_set_nonblocking(s);
  if (code != 0) {
    return Error{std::string("watching the kernel's routes: ") + nl_geterror(code) +
                 " (a sandbox must allow the address family AF_NETLINK)"};
  }
  return monitor;
}

int Monitor::fd() const { return nl_socket_get_fd(socket_.get()); }

bool Monitor::drain(const std::vector<IpAddress>& watched) {
  Drain drain{&watched};
  nl_socket_modify_cb(socket_.get(), NL_CB_VALID, NL_CB_CUSTOM, on_event, &drain);
  while (true) {
    const int code = nl_recvmsgs_default(socket_.get());
    if (code == -NLE_NOMEM) {  // how libnl reports ENOBUFS: events were dropped
      ++overruns_;
      drain.changed = true;
      continue;
    }
    if (code < 0) return drain.changed;
  }
}

}  // namespace ue::route
