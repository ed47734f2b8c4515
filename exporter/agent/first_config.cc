#include "agent/first_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "uplink/discovery.h"

namespace ue::agent {

namespace {

constexpr auto kReflectorPort = ":40862";  // of the packaged uplink_reflector
constexpr std::size_t kMaxSpare = 8;       // a router of many networks has more, and they are no lines

/// YAML takes JSON's strings; names of files and hosts need no more than these two escapes.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + "\"";
}

/// One that nobody can vouch for, behind a #.
std::string spare_line(const uplink::SpareLine& line, std::string_view item) {
  std::string gateway;
  std::string why;
  if (line.router) {
    const auto& [ifindex, address, to, length, to_public] = *line.router;
    gateway = ", gateway: " + quoted(address.to_string());
    why = fmt::format("; packets for {}{} leave through that gateway", to.to_string(),
                      length == to.bits() ? "" : fmt::format("/{}", length));
  } else if (line.needs_gateway) {
    gateway = ", gateway: ROUTER";
    why = "; put its router's address for ROUTER";
  }
  const bool v6 = line.family == Family::ipv6;
  return fmt::format("{}{{name: {}, interface: {}{}{}}}   # {}{}\n", item,
                     quoted(line.interface + (v6 ? "_v6" : "")), quoted(line.interface),
                     v6 ? ", family: ipv6" : "", gateway, line.source.to_string(), why);
}

std::string spare_lines(const std::vector<uplink::SpareLine>& lines, std::string_view note,
                        std::string_view item) {
  auto text = fmt::format(
      "{0}No default route leads through what follows, so whether it is a spare line or a LAN cannot be "
      "seen.\n"
      "{0}Take the # away from what is a line.\n",
      note);
  for (std::size_t i = 0; i < std::min(lines.size(), kMaxSpare); ++i) text += spare_line(lines[i], item);
  if (lines.size() > kMaxSpare) text += fmt::format("{}... and {} more\n", note, lines.size() - kMaxSpare);
  return text;
}

std::string uplinks(const Found& found) {
  const auto discovered = uplink::discover(found.inventory);
  if (discovered.empty()) {
    return "# No interface has a default route now. Name yours; without this list they are found at each "
           "start.\n#uplinks:\n" +
           (found.spare.empty() ? "#  - {name: mansion, interface: eth2}\n"
                                : spare_lines(found.spare, "# ", "#  - "));
  }
  std::string text =
      "# Found by their default routes. Rename them as you like: `name` is the label in metrics and pages.\n"
      "uplinks:\n";
  for (const auto& u : discovered) {
    const auto state = uplink::resolve(u, found.inventory);
    const auto gateway = state.gateway ? state.gateway->to_string() : "";
    // A route of the running agent's own, which is there because its configuration names the gateway.
    const bool own = state.gateway && !state.default_route;
    text += fmt::format(
        "  - {{name: {}, interface: {}{}{}}}   # {}{}\n", quoted(u.name), quoted(u.interface),
        u.family == Family::ipv6 ? ", family: ipv6" : "", own ? ", gateway: " + quoted(gateway) : "",
        state.source ? state.source->to_string() : "no address", gateway.empty() ? "" : " via " + gateway);
  }
  if (!found.spare.empty()) return text + spare_lines(found.spare, "  # ", "  #- ");
  return text +
         "  # A line with a router but no default route, as a spare one often is:\n"
         "  #- {name: spare, interface: eth1, gateway: 192.168.0.1}\n";
}

std::string reflectors(const std::string& reflector, const std::vector<openvpn::FoundTunnel>& tunnels) {
  const auto client =
      std::find_if(tunnels.begin(), tunnels.end(), [](const auto& t) { return !t.remote.empty(); });
  const auto guess = (client == tunnels.end() ? "vpn.example.net" : client->remote) + kReflectorPort;
  const std::string off = reflector.empty() ? "#" : "";
  return fmt::format(
      "\n# A reflector of your own tells which way a packet died; the VPN server is a good place for it. It "
      "needs a key,\n"
      "# (umask 077; uplinktool keygen > cloud.key), and the same is here, for the agent's user alone.\n"
      "{1}{0}reflectors:\n{0}  - {{name: cloud, address: {2}, key_file: /etc/uplink_exporter/cloud.key}}\n",
      off,
      off.empty() ? "" : "# Without one, public STUN servers say whether replies come back, and no more.\n",
      quoted(reflector.empty() ? guess : reflector));
}

std::string tunnel(const openvpn::FoundTunnel& t, const std::string& name) {
  std::string sources;
  for (const auto& [key, value] :
       {std::pair("log", t.log), std::pair("journal", t.journal), std::pair("status", t.status)}) {
    if (!value.empty()) sources += fmt::format(", {}: {}", key, quoted(value));
  }
  std::string text =
      fmt::format("  # {}: a {}{}\n  - {{name: {}{}}}\n", t.file, t.server ? "server" : "client",
                  t.remote.empty() ? "" : " of " + t.remote, quoted(name), sources);
  if (!t.management.empty())
    text += fmt::format(
        "  # It has a management socket, which has one place. To let the agent take it:\n"
        "  #   management: {}\n",
        quoted(t.management));
  return text;
}

}  // namespace

std::string first_config(const Found& found, const std::string& reflector) {
  std::string text =
      "# uplink_exporter, as `uplinktool init` found this machine. `uplinktool check config FILE` checks "
      "what you "
      "change.\n\n" +
      uplinks(found);
  text += reflectors(reflector, found.tunnels);
  if (found.tunnels.empty()) {
    return text +
           fmt::format("\n# No OpenVPN configuration was found in {}.\n#openvpn:\n",
                       found.openvpn_directory) +
           "#  - {name: cloud, log: /var/log/openvpn/client.log}\n";
  }
  text += "\n# Add `reflector: cloud` to a tunnel whose server has that reflector.\nopenvpn:\n";
  std::set<std::string> names;
  for (const auto& t : found.tunnels) {
    std::string name = t.name;
    for (int again = 2; !names.insert(name).second; ++again) name = fmt::format("{}_{}", t.name, again);
    text += tunnel(t, name);
  }
  return text;
}

}  // namespace ue::agent
