#pragma once
#include <string>
#include <vector>

#include "openvpn/found_tunnel.h"
#include "uplink/interfaces.h"
#include "uplink/spare_lines.h"

namespace ue::agent {

/// A machine as it was found.
struct Found {
  uplink::Inventory inventory;
  std::vector<uplink::SpareLine> spare;
  std::vector<openvpn::FoundTunnel> tunnels;
  std::string openvpn_directory = "/etc/openvpn";  ///< where tunnels were looked for
};

/// A commented configuration for it: its uplinks by name, spare lines commented out, its tunnels with the
/// sources that they have, and what is yet to be filled in: the reflector, unless its HOST:PORT is given.
/// config::parse_config() accepts it as it stands. Pure.
std::string first_config(const Found& found, const std::string& reflector = "");

}  // namespace ue::agent
