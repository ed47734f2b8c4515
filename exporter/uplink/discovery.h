#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "config/config.h"
#include "uplink/interfaces.h"

/// Which uplinks there are, and in what state each is. Pure functions of an inventory.
namespace ue::uplink {

/// Every interface with a default route through a gateway in any table, or without one on a point-to-point
/// link (ppp, raw-IP modems); tunnels and loopback excepted. An uplink is interface and family: eth2 gives
/// `eth2` and `eth2_v6`, and these names do not depend on which others exist. Sorted by interface, IPv4
/// first.
std::vector<config::Uplink> discover(const Inventory& inventory);

/// True for interfaces that carry other packets inside packets: tun, tap, wireguard, gre, ipip, sit, vti,
/// xfrm ...
bool is_tunnel(const Link& link);

struct UplinkState {
  bool present = false;
  bool link_up = false;  ///< IFF_UP and carrier
  bool point_to_point = false;
  int ifindex = 0;
  std::optional<IpAddress> source;   ///< what sockets are bound to
  std::optional<IpAddress> gateway;  ///< configured, else of the best default route
  bool has_route =
      false;  ///< a gateway is known, or none is needed; check_route() says whether the kernel uses it
  bool default_route = false;  ///< a table (not the agent's own) has a default route through it
  std::map<std::uint32_t, std::uint32_t> default_routes;  ///< by table (not the agent's own), the best metric
  std::string fault;  ///< what is missing and the remedy, as part of a sentence; empty: usable

  bool usable() const { return fault.empty(); }
  bool operator==(const UplinkState&) const = default;
};

/// IPv4: the default route's preferred source, else an address in the gateway's subnet, else the first. IPv6:
/// usable and not deprecated, global before unique local, stable before temporary.
UplinkState resolve(const config::Uplink& uplink, const Inventory& inventory);

/// False where the sockets must be rebuilt and the window is void: interface, index or source address is
/// another.
bool same_binding(const UplinkState& a, const UplinkState& b);

}  // namespace ue::uplink
