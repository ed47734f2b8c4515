#include "uplink/monitor.h"

#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#include <array>
#include <string>

#include "uplink/netlink.h"

namespace ue::uplink {

namespace {

/// Wireless drivers report scans and roaming as link events in which nothing changed.
bool is_wireless_notice(nlmsghdr* message) {
  if (!nlmsg_valid_hdr(message, sizeof(ifinfomsg))) return false;
  const auto* header = static_cast<const ifinfomsg*>(nlmsg_data(message));
  return header->ifi_change == 0 && nlmsg_find_attr(message, sizeof *header, IFLA_WIRELESS) != nullptr;
}

bool matters(nlmsghdr* message) {
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
      return !is_wireless_notice(message);
    case RTM_DELLINK:
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWRULE:
    case RTM_DELRULE:
      return true;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      return is_default_route(message);
    default:
      return false;
  }
}

int on_event(nl_msg* message, void* argument) {
  if (matters(nlmsg_hdr(message))) *static_cast<bool*>(argument) = true;
  return NL_OK;
}

}  // namespace

Result<Monitor> Monitor::open() {
  Monitor monitor(nl_socket_alloc());
  nl_sock* s = monitor.socket_.get();
  if (s == nullptr) return Error{"opening a netlink socket: out of memory"};
  nl_socket_disable_seq_check(s);
  nl_socket_disable_msg_peek(s);
  nl_socket_set_msg_buf_size(s, 32768);
  int code = nl_connect(s, NETLINK_ROUTE);
  constexpr std::array kGroups{RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                               RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                               RTNLGRP_IPV6_RULE};
  for (const auto group : kGroups) {
    if (code == 0) code = nl_socket_add_membership(s, group);
  }
  if (code == 0) code = nl_socket_set_nonblocking(s);
  if (code != 0) {
    return Error{std::string("watching the kernel's network events: ") + nl_geterror(code) +
                 " (a sandbox must allow the address family AF_NETLINK)"};
  }
  return monitor;
}

int Monitor::fd() const { return nl_socket_get_fd(socket_.get()); }

bool Monitor::drain() {
  bool changed = false;
  nl_socket_modify_cb(socket_.get(), NL_CB_VALID, NL_CB_CUSTOM, on_event, &changed);
  while (true) {
    const int code = nl_recvmsgs_default(socket_.get());
    if (code == -NLE_NOMEM) {  // how libnl reports ENOBUFS: events were dropped
      ++overruns_;
      changed = true;
      continue;
    }
    if (code < 0) return changed;
  }
}

}  // namespace ue::uplink
