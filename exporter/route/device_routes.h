#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "uplink/netlink.h"

namespace ue::route {

/// The routes of all tables into one device, but for those that the kernel adds with an address.
struct DeviceRoutes {
  std::uint64_t count = 0;
  std::vector<std::string> some;  ///< the first few destinations, as `ip route` writes them
  bool operator==(const DeviceRoutes&) const = default;
};

/// One of the dump's messages; what is no such route is passed over.
void add_device_route(nlmsghdr* message, int ifindex, DeviceRoutes& routes);

/// Two dumps, of which the kernel leaves out other devices' routes by itself (Linux 4.20); beside a full
/// Internet table it still looks at each. Needs no privilege.
Result<DeviceRoutes> read_device_routes(uplink::NetlinkSocket& socket, int ifindex);

/// What is known of a tunnel whose routes these are.
struct TunnelStanding {
  std::string tunnel;
  std::string device;
  std::string state;  ///< of its OpenVPN, as the label says; empty: connected, or not known
  bool held = true;   ///< a process has the device open
};

/// A sentence where the routes lead into a black hole: the tunnel is not connected, or nobody holds its
/// device. Empty where they do not, or where there are none. Pure.
std::string black_hole(const DeviceRoutes& routes, const TunnelStanding& tunnel);

}  // namespace ue::route
