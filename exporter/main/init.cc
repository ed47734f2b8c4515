#include "main/init.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>

#include "agent/first_config.h"
#include "config/file.h"

namespace ue::tool {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfig = 1024 * 1024;  // octets; inline certificates are a few thousand
constexpr std::size_t kMaxTunnels = 64;

/// Of DIRECTORY itself, client/ and server/, as Debian's units have them; in the order of their names.
std::vector<openvpn::FoundTunnel> find_tunnels(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& place : {directory, directory / "client", directory / "server"}) {
    std::error_code error;
    for (fs::directory_iterator it(place, error), end; !error && it != end; it.increment(error)) {
      std::error_code unreadable;
      if (it->path().extension() == ".conf" && it->is_regular_file(unreadable)) files.push_back(it->path());
    }
    if (error && fs::exists(place))
      std::cerr << fmt::format("{} cannot be read: {}; as root more is found\n", place.string(),
                               error.message());
  }
  std::sort(files.begin(), files.end());
  std::vector<openvpn::FoundTunnel> tunnels;
  for (const auto& file : files) {
    if (tunnels.size() >= kMaxTunnels) {
      std::cerr << fmt::format("More than {} tunnels; the others are left out\n", kMaxTunnels);
      break;
    }
    const auto text = config::read_file(file, kMaxConfig);
    if (text)
      tunnels.push_back(openvpn::read_tunnel_config(*text, file.string()));
    else
      std::cerr << text.error() << "\n";
  }
  return tunnels;
}

}  // namespace

int init(const std::string& openvpn_directory, const std::string& reflector) {
  if (!reflector.empty() && !HostPort::parse(reflector)) {
    std::cerr << fmt::format("--reflector: '{}' is not HOST:PORT, as vpn.example.net:40862\n", reflector);
    return 2;
  }
  const auto inventory = uplink::read_inventory();
  if (!inventory) {
    std::cerr << inventory.error() << "\n";
    return 2;
  }
  const auto gateways = uplink::read_routed_gateways();
  if (!gateways) std::cerr << gateways.error() << "; spare lines come without their gateways\n";
  const auto known = gateways ? *gateways : std::vector<uplink::RoutedGateway>();
  std::cout << agent::first_config({*inventory, uplink::spare_lines(*inventory, known),
                                    find_tunnels(openvpn_directory), openvpn_directory},
                                   reflector);
  return 0;
}

}  // namespace ue::tool
