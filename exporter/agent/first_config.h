#pragma once
#include <string>
#include <vector>

#include "openvpn/found_tunnel.h"
#include "uplink/interfaces.h"

namespace ue::agent {

/// A commented configuration for a machine as it was found: its uplinks by name, its tunnels with the sources
/// that they have, and what is yet to be filled in: the reflector, unless its HOST:PORT is given.
/// config::parse_config() accepts it as it stands. Pure.
std::string first_config(const uplink::Inventory& inventory, const std::vector<openvpn::FoundTunnel>& tunnels,
                         const std::string& reflector = "");

}  // namespace ue::agent
