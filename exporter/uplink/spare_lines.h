#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "uplink/interfaces.h"
#include "uplink/routed_gateways.h"

namespace ue::uplink {

/// An interface that has an address and no default route: a spare line, as the seed's 5G router is, or a LAN.
struct SpareLine {
  std::string interface;
  Family family = Family::ipv4;
  IpAddress source;
  bool needs_gateway = true;            ///< not so on a point-to-point link
  std::optional<RoutedGateway> router;  ///< of that family, where a route names one
};

/// What cannot be told apart from here is offered, for a person to decide. Left out is what looks like a LAN
/// and has nothing public routed through it: bridges, devices without a wire, an interface whose own address
/// is the first of a private subnet, and IPv6, where a LAN has public addresses too. Tunnels and loopback
/// always. Those with a known router come first. A pure function.
std::vector<SpareLine> spare_lines(const Inventory& inventory, const std::vector<RoutedGateway>& gateways);

}  // namespace ue::uplink
