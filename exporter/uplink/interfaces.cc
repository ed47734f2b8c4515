#include "uplink/interfaces.h"

#include <fmt/format.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>

#include "uplink/netlink.h"

namespace ue::uplink {

namespace {

constexpr unsigned kLowerUp = 1U << 16;  // IFF_LOWER_UP, which <net/if.h> lacks

template <std::size_t N>
bool parse(nlmsghdr* message, std::size_t header_size, std::array<nlattr*, N>& attributes) {
  return nlmsg_parse(message, static_cast<int>(header_size), attributes.data(), static_cast<int>(N) - 1,
                     nullptr) == 0;
}

std::string read_kind(nlattr* link_info) {
  if (link_info == nullptr) return {};
  std::array<nlattr*, IFLA_INFO_MAX + 1> attributes{};
  if (nla_parse_nested(attributes.data(), IFLA_INFO_MAX, link_info, nullptr) != 0) return {};
  return attributes[IFLA_INFO_KIND] != nullptr ? nla_get_string(attributes[IFLA_INFO_KIND]) : std::string();
}

void add_link(nlmsghdr* message, Inventory& inventory) {
  if (message->nlmsg_type != RTM_NEWLINK || !nlmsg_valid_hdr(message, sizeof(ifinfomsg))) return;
  const auto* header = static_cast<const ifinfomsg*>(nlmsg_data(message));
  std::array<nlattr*, IFLA_MAX + 1> attributes{};
  if (!parse(message, sizeof *header, attributes) || attributes[IFLA_IFNAME] == nullptr) return;
  Link link;
  link.index = header->ifi_index;
  link.name = nla_get_string(attributes[IFLA_IFNAME]);
  link.up = (header->ifi_flags & IFF_UP) != 0;
  link.carrier = (header->ifi_flags & kLowerUp) != 0;
  link.loopback = (header->ifi_flags & IFF_LOOPBACK) != 0;
  link.point_to_point = (header->ifi_flags & IFF_POINTOPOINT) != 0;
  if (attributes[IFLA_CARRIER_CHANGES] != nullptr)
    link.carrier_changes = nla_get_u32(attributes[IFLA_CARRIER_CHANGES]);
  link.kind = read_kind(attributes[IFLA_LINKINFO]);
  inventory.links.push_back(std::move(link));
}

void add_address(nlmsghdr* message, Inventory& inventory) {
  if (message->nlmsg_type != RTM_NEWADDR || !nlmsg_valid_hdr(message, sizeof(ifaddrmsg))) return;
  const auto* header = static_cast<const ifaddrmsg*>(nlmsg_data(message));
  std::array<nlattr*, IFA_MAX + 1> attributes{};
  if (!parse(message, sizeof *header, attributes)) return;
  const auto link = std::find_if(inventory.links.begin(), inventory.links.end(), [&](const Link& l) {
    return l.index == static_cast<int>(header->ifa_index);
  });
  // With a peer IFA_ADDRESS is the other end; ours is IFA_LOCAL.
  const auto address =
      read_address(attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS]);
  if (link == inventory.links.end() || !address) return;
  const std::uint32_t flags =
      attributes[IFA_FLAGS] != nullptr ? nla_get_u32(attributes[IFA_FLAGS]) : header->ifa_flags;
  const bool v4 = address->is_v4();
  Address a;
  a.address = *address;
  a.prefix_length = header->ifa_prefixlen;
  a.global = header->ifa_scope == RT_SCOPE_UNIVERSE;
  a.secondary = v4 && (flags & IFA_F_SECONDARY) != 0;
  a.temporary = !v4 && (flags & IFA_F_TEMPORARY) != 0;
  a.deprecated = !v4 && (flags & IFA_F_DEPRECATED) != 0;
  a.usable = v4 || ((flags & IFA_F_DADFAILED) == 0 &&
                    ((flags & IFA_F_TENTATIVE) == 0 || (flags & IFA_F_OPTIMISTIC) != 0));
  link->addresses.push_back(a);
}

void add_hop(DefaultRoute route, const NextHop& hop, Inventory& inventory) {
  const auto* link = inventory.find(hop.ifindex);
  if (link == nullptr || (!hop.gateway && !link->point_to_point)) return;
  route.ifindex = hop.ifindex;
  route.gateway = hop.gateway;
  inventory.default_routes.push_back(route);
}

void add_route(nlmsghdr* message, Inventory& inventory) {
  if (message->nlmsg_type != RTM_NEWROUTE || !nlmsg_valid_hdr(message, sizeof(rtmsg))) return;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  // Nearly every route of a full table ends here, before its attributes are looked at.
  if (!is_default_route(message) || header.rtm_type != RTN_UNICAST) return;
  std::array<nlattr*, RTA_MAX + 1> attributes{};
  if (!parse(message, sizeof header, attributes)) return;
  DefaultRoute route;
  route.table = attributes[RTA_TABLE] != nullptr ? nla_get_u32(attributes[RTA_TABLE]) : header.rtm_table;
  route.metric = attributes[RTA_PRIORITY] != nullptr ? nla_get_u32(attributes[RTA_PRIORITY]) : 0;
  route.preferred_source = read_address(attributes[RTA_PREFSRC]);
  route.family = header.rtm_family == AF_INET ? Family::ipv4 : Family::ipv6;
  if (attributes[RTA_MULTIPATH] != nullptr) {
    for_each_next_hop(attributes[RTA_MULTIPATH], [&](const NextHop& hop) { add_hop(route, hop, inventory); });
  } else if (attributes[RTA_OIF] != nullptr) {
    add_hop(route,
            {static_cast<int>(nla_get_u32(attributes[RTA_OIF])),
             read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA])},
            inventory);
  }
}

}  // namespace

const Link* Inventory::find(const std::string& name) const {
  const auto it = std::find_if(links.begin(), links.end(), [&](const Link& l) { return l.name == name; });
  return it == links.end() ? nullptr : &*it;
}

const Link* Inventory::find(int ifindex) const {
  const auto it = std::find_if(links.begin(), links.end(), [&](const Link& l) { return l.index == ifindex; });
  return it == links.end() ? nullptr : &*it;
}

Result<Inventory> read_inventory() {
  auto socket = NetlinkSocket::open();
  if (!socket) return Error{socket.error()};
  Inventory inventory;
  const auto failed = [](const char* what, int code) {
    return errno_error(fmt::format("reading the {} from the kernel", what), code);
  };
  int code = socket->transact(
      Request(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{}), [&](nlmsghdr* m) { add_link(m, inventory); },
      [&] { inventory.links.clear(); });
  if (code != 0) return failed("links", code);
  code = socket->transact(
      Request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}), [&](nlmsghdr* m) { add_address(m, inventory); },
      [&] {
        for (auto& link : inventory.links) link.addresses.clear();
      });
  if (code != 0) return failed("addresses", code);
  inventory.default_routes.clear();
  for (const auto family : {AF_INET, AF_INET6}) {
    const auto before = inventory.default_routes.size();
    rtmsg header{};
    header.rtm_family = static_cast<unsigned char>(family);
    header.rtm_type = RTN_UNICAST;
    code = socket->transact(
        Request(RTM_GETROUTE, NLM_F_DUMP, header), [&](nlmsghdr* m) { add_route(m, inventory); },
        [&] { inventory.default_routes.resize(before); });
    // Without IPv6 in the kernel there are no such routes, which is no failure.
    if (code != 0 && !(family == AF_INET6 && (code == EOPNOTSUPP || code == EAFNOSUPPORT))) {
      return failed("routes", code);
    }
  }
  return inventory;
}

}  // namespace ue::uplink
