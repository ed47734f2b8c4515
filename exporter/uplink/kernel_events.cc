#include "uplink/kernel_events.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include <algorithm>

#include "uplink/netlink.h"

namespace ue::uplink {

namespace {

/// Wireless drivers report scans and roaming as link events in which nothing changed.
bool is_wireless_notice(nlmsghdr* message) {
  if (!nlmsg_valid_hdr(message, sizeof(ifinfomsg))) return false;
  const auto* header = static_cast<const ifinfomsg*>(nlmsg_data(message));
  return header->ifi_change == 0 && nlmsg_find_attr(message, sizeof *header, IFLA_WIRELESS) != nullptr;
}

bool leads_to_watched(nlmsghdr* message, const std::vector<IpAddress>& watched) {
  if (!nlmsg_valid_hdr(message, sizeof(rtmsg))) return false;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  const bool v4 = header.rtm_family == AF_INET;
  if ((!v4 && header.rtm_family != AF_INET6) || header.rtm_dst_len > (v4 ? 32 : 128)) return false;
  auto network = v4 ? IpAddress::v4(0) : IpAddress::v6({});
  if (header.rtm_dst_len != 0) {
    const auto read = read_address(nlmsg_find_attr(message, sizeof header, RTA_DST));
    if (!read) return false;
    network = *read;
  }
  return std::any_of(watched.begin(), watched.end(),
                     [&](const auto& address) { return in_prefix(address, network, header.rtm_dst_len); });
}

bool leads_into(nlmsghdr* message, const std::vector<int>& links) {
  if (links.empty() || !nlmsg_valid_hdr(message, sizeof(rtmsg))) return false;
  auto* link = nlmsg_find_attr(message, sizeof(rtmsg), RTA_OIF);
  return link != nullptr && nla_len(link) >= 4 &&
         std::find(links.begin(), links.end(), static_cast<int>(nla_get_u32(link))) != links.end();
}

bool is_on_watched_link(nlmsghdr* message, const std::vector<int>& links) {
  if (!nlmsg_valid_hdr(message, sizeof(ndmsg))) return false;
  const auto* header = static_cast<const ndmsg*>(nlmsg_data(message));
  return std::find(links.begin(), links.end(), header->ndm_ifindex) != links.end();
}

}  // namespace

Changes& Changes::operator|=(const Changes& other) {
  inventory = inventory || other.inventory;
  rules = rules || other.rules;
  ways = ways || other.ways;
  neighbours = neighbours || other.neighbours;
  tunnels = tunnels || other.tunnels;
  return *this;
}

Changes classify(nlmsghdr* message, const Interest& interest) {
  Changes changes;
  switch (message->nlmsg_type) {
    case RTM_NEWLINK:
      if (is_wireless_notice(message)) break;
      [[fallthrough]];
    case RTM_DELLINK:  // takes IPv4 routes along without an event of their own
    case RTM_NEWADDR:
    case RTM_DELADDR:
      changes.inventory = changes.ways = changes.neighbours = changes.tunnels = true;
      break;
    case RTM_NEWRULE:
    case RTM_DELRULE:
      changes.inventory = changes.ways = changes.rules = true;
      break;
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
      changes.inventory = changes.ways = true;
      break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
      changes.inventory = is_default_route(message);
      changes.ways = leads_to_watched(message, interest.destinations);
      changes.tunnels = leads_into(message, interest.tunnel_links);
      break;
    case RTM_NEWNEIGH:
    case RTM_DELNEIGH:
      changes.neighbours = is_on_watched_link(message, interest.neighbour_links);
      break;
    default:
      break;
  }
  return changes;
}

}  // namespace ue::uplink
