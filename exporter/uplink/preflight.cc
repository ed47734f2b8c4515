#include "uplink/preflight.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace ue::uplink {

namespace {

std::string ip_command(const config::Uplink& uplink) {
  return uplink.family == Family::ipv4 ? "ip" : "ip -6";
}

std::string no_route(const config::Uplink& uplink, const IpAddress& target, const std::string& reason) {
  return fmt::format(
      "no route leads from {} to {} ({}); name the router as `gateway:` of uplink {}, or run \"{} rule add "
      "oif "
      "{} lookup TABLE\" with a table whose default leaves through it",
      uplink.interface, target.to_string(), reason, uplink.name, ip_command(uplink), uplink.interface);
}

std::string filtered(const config::Uplink& uplink, const UplinkState& state, const IpAddress& target) {
  return fmt::format(
      "replies from {} are dropped on {} by the reverse path filter (rp_filter=1), because the way back "
      "leads "
      "elsewhere; run \"sysctl -w net.ipv4.conf.{}.rp_filter=2\", or \"ip rule add from {} lookup TABLE\" "
      "with "
      "a table whose default leaves through {}",
      target.to_string(), uplink.interface, uplink.interface, state.source->to_string(), uplink.interface);
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  while (!line.empty()) {
    const auto end = std::min(line.find(' '), line.size());
    if (end > 0) found.push_back(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return found;
}

}  // namespace

Result<Preflight> run_preflight(const config::Uplink& uplink, const UplinkState& state,
                                const IpAddress& target) {
  auto socket = NetlinkSocket::open();
  if (!socket) return Error{socket.error()};
  const RouteQuery query{target, state.ifindex, uplink.fwmark, state.source};
  Preflight result;
  if (const auto route = check_route(*socket, query); !route.routed) {
    result.route = no_route(uplink, target, route.reason);
  }
  if (state.source && !check_reply(*socket, query).accepted) {
    result.rp_filter = filtered(uplink, state, target);
  }
  return result;
}

std::optional<std::uint64_t> netstat_counter(std::string_view text, std::string_view name) {
  // Lines come in pairs: names, then values, each after the same prefix.
  std::vector<std::string_view> names;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = words(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!names.empty() && !line.empty() && names.front() == line.front()) {
      for (std::size_t i = 1; i < std::min(names.size(), line.size()); ++i) {
        if (names[i] != name) continue;
        std::uint64_t value = 0;
        for (const char c : line[i]) {
          if (c < '0' || c > '9') return std::nullopt;
          value = value * 10 + static_cast<std::uint64_t>(c - '0');
        }
        return value;
      }
      names.clear();
    } else {
      names = line;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> reverse_path_drops() {
  std::ifstream file("/proc/net/netstat");
  std::ostringstream text;
  text << file.rdbuf();
  return netstat_counter(text.str(), "IPReversePathFilter");
}

}  // namespace ue::uplink
