#include "route/judgement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ue::route {

namespace {

std::string refusal(int code) {
  switch (code) {
    case ENETUNREACH:
      return "no route leads there";
    case EHOSTUNREACH:
      return "an `unreachable` route or rule refuses it";
    case EINVAL:
      return "a `blackhole` route or rule swallows it";
    case EACCES:
      return "a `prohibit` route or rule forbids it";
    default:
      return std::string("the kernel refuses: ") + std::strerror(code);
  }
}

bool leaves_through(const config::Uplink& uplink, const std::string& interface, Family family,
                    const std::optional<IpAddress>& gateway) {
  return uplink.interface == interface && uplink.family == family &&
         (!uplink.gateway || uplink.gateway == gateway);
}

std::string describe(const std::string& interface, const std::optional<IpAddress>& gateway) {
  return gateway ? fmt::format("{} via {}", interface, gateway->to_string()) : interface;
}

/// What puts it right, as one would type it; empty where the uplink's gateway is not configured.
std::string remedy(const std::string& destination, const IpAddress& asked, const config::Uplink& wanted) {
  if (!wanted.gateway) return "";
  const auto target = Target::parse(destination) ? destination : asked.to_string();
  return fmt::format("; to put it right: ip {}route replace {} via {} dev {}", asked.is_v4() ? "" : "-6 ",
                     target, wanted.gateway->to_string(), wanted.interface);
}

}  // namespace

Judgement judge(const std::string& destination, const IpAddress& asked, const std::string& expected,
                const std::vector<config::Uplink>& uplinks, const FibAnswer& answer,
                const InterfaceName& interface_name) {
  Judgement result;
  const auto wanted =
      std::find_if(uplinks.begin(), uplinks.end(), [&](const auto& u) { return u.name == expected; });
  const auto cure = wanted != uplinks.end() ? remedy(destination, asked, *wanted) : "";
  if (answer.code != 0) {
    result.reason =
        fmt::format("{}: {}; it must leave through {}{}", destination, refusal(answer.code), expected, cure);
    return result;
  }
  result.table = table_name(answer.table);
  if (answer.local || answer.hops.empty()) {
    result.reason =
        fmt::format("{} is an address of this machine itself; it leaves through no uplink", destination);
    return result;
  }
  std::string ways;
  std::size_t met = 0;
  std::optional<std::string> through;
  for (const auto& hop : answer.hops) {
    const auto interface = interface_name(hop.ifindex);
    const auto is_way = [&](const auto& u) {
      return leaves_through(u, interface, asked.family(), hop.gateway);
    };
    if (wanted != uplinks.end() && is_way(*wanted)) ++met;
    const auto known = wanted != uplinks.end() && is_way(*wanted)
                           ? wanted
                           : std::find_if(uplinks.begin(), uplinks.end(), is_way);
    const std::string name = known != uplinks.end() ? known->name : "";
    if (!through) {
      through = name;
      result.interface = interface;
      result.gateway = hop.gateway ? hop.gateway->to_string() : "";
    } else if (*through != name) {
      through = "";
    }
    if (!ways.empty()) ways += " and ";
    ways += name.empty() ? describe(interface, hop.gateway)
                         : fmt::format("{} ({})", name, describe(interface, hop.gateway));
  }
  result.uplink = *through;
  result.match = met == answer.hops.size();
  if (result.match) {
    result.reason = fmt::format("{} leaves through {}, by table {}", destination, ways, result.table);
  } else if (wanted == uplinks.end()) {
    result.reason = fmt::format("{} leaves through {}, by table {}; there is no uplink {} now", destination,
                                ways, result.table, expected);
  } else {
    result.reason = fmt::format(
        "{} leaves through {}, by table {}; it must leave through {} ({}){}", destination, ways, result.table,
        expected, describe(wanted->interface, wanted->gateway), met > 0 ? " alone" + cure : cure);
  }
  return result;
}

}  // namespace ue::route
