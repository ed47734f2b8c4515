#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"

/// What the kernel knows of links, addresses and default routes, as plain values.
namespace ue::uplink {

struct Address {
  IpAddress address;
  std::uint8_t prefix_length = 0;
  bool global = false;      ///< scope global (includes RFC 1918 and unique local addresses)
  bool secondary = false;   ///< IPv4: another address of the same subnet came first
  bool temporary = false;   ///< IPv6: RFC 8981, changes within hours
  bool deprecated = false;  ///< IPv6: not for new connections
  bool usable = true;       ///< IPv6: duplicate address detection has passed
  auto operator<=>(const Address&) const = default;
};

struct Link {
  int index = 0;
  std::string name;
  bool up = false;                    ///< IFF_UP
  bool carrier = false;               ///< IFF_LOWER_UP
  std::uint32_t carrier_changes = 0;  ///< since it was created, as the kernel counts them
  bool loopback = false;
  bool point_to_point = false;
  std::string
      kind;  ///< as `ip -d link` says: veth, vlan, bridge, ppp, tun (tap too), wireguard ...; "" for hardware
  std::vector<Address> addresses;
  auto operator<=>(const Link&) const = default;
};

/// A route to everywhere: 0.0.0.0/0, ::/0 or 2000::/3, one for each next hop. Stays while the link has no
/// carrier; goes, as the kernel's does, when the interface is switched off.
struct DefaultRoute {
  std::uint32_t table = 0;
  Family family = Family::ipv4;
  int ifindex = 0;
  std::optional<IpAddress> gateway;  ///< absent only on point-to-point links
  std::uint32_t metric = 0;
  std::optional<IpAddress> preferred_source;
  auto operator<=>(const DefaultRoute&) const = default;
};

struct Inventory {
  std::vector<Link> links;
  std::vector<DefaultRoute> default_routes;

  const Link* find(const std::string& name) const;
  const Link* find(int ifindex) const;
  bool operator==(const Inventory&) const = default;
};

/// Three dumps of the kernel's tables: about a millisecond, and about a second beside a full Internet table,
/// of which nothing but the default routes is kept. Needs no privilege. Called when Monitor says so, not on a
/// timer.
Result<Inventory> read_inventory();

}  // namespace ue::uplink
