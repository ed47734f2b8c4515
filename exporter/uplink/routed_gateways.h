#pragma once
#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace ue::uplink {

/// A router that the kernel knows by routes to less than everywhere, as by `111.222.33.44 via 192.168.0.1 dev
/// eth1`.
struct RoutedGateway {
  int ifindex = 0;
  IpAddress gateway;
  IpAddress destination;    ///< of one of its routes: a public one where it has one
  std::uint8_t length = 0;  ///< ... and of its prefix
  bool to_public = false;   ///< what is public lies behind it, so it is no router of the house's own
  auto operator<=>(const RoutedGateway&) const = default;
};

/// Each interface's gateways, of every table and both families, each once; default routes are not looked at
/// (interfaces.h has them). About a second beside a full Internet table: for a command, not for the agent.
/// Needs no privilege.
Result<std::vector<RoutedGateway>> read_routed_gateways();

}  // namespace ue::uplink
