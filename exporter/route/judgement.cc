#include "route/judgement.h"

#include <fmt/format.h>
#include <linux/fib_rules.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ue::route {

namespace {

std::string_view refusing_word(int code) {
  switch (code) {
    case EHOSTUNREACH:
      return "an `unreachable`";
    case EINVAL:
      return "a `blackhole`";
    case EACCES:
      return "a `prohibit`";
    default:
      return "";
  }
}

std::string by(const FibAnswer& answer, const std::optional<Rule>& rule) {
  const auto text = fmt::format("by table {}", table_name(answer.table));
  return rule && !is_usual(*rule) ? fmt::format("{} (rule {})", text, rule->to_string()) : text;
}

std::string refusal(const FibAnswer& answer, const std::optional<Rule>& rule, const Query& query) {
  if (answer.code == ENETUNREACH) return "no route leads there";
  const auto word = refusing_word(answer.code);
  if (word.empty()) return std::string("the kernel refuses: ") + std::strerror(answer.code);
  if (rule && rule->action != FR_ACT_TO_TBL) return fmt::format("rule {} refuses it", rule->to_string());
  if (rule) return fmt::format("{} route refuses it, {}", word, by(answer, rule));
  // The kernel has one number for both.
  if (answer.code == EINVAL && query.source) {
    return fmt::format("{} is no address of this machine, so nothing can be sent from it",
                       query.source->to_string());
  }
  return fmt::format("{} route or rule refuses it", word);
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

Judgement judge(const Watched& watched, const std::vector<config::Uplink>& uplinks, const FibAnswer& answer,
                const std::optional<Rule>& rule, const InterfaceName& interface_name) {
  const auto& [destination, expected, query] = watched;
  Judgement result;
  const auto wanted =
      std::find_if(uplinks.begin(), uplinks.end(), [&](const auto& u) { return u.name == expected; });
  const auto cure = wanted != uplinks.end() ? remedy(destination, query.destination, *wanted) : "";
  if (answer.code != 0) {
    result.reason = fmt::format("{}: {}", destination, refusal(answer, rule, query));
    if (!expected.empty()) result.reason += fmt::format("; it must leave through {}{}", expected, cure);
    return result;
  }
  result.table = table_name(answer.table);
  if (answer.local || answer.hops.empty()) {
    result.reason =
        answer.local
            ? fmt::format("{} is an address of this machine itself; it leaves through no uplink", destination)
            : fmt::format("{}: every next hop of its route is dead, {}", destination, by(answer, rule));
    return result;
  }
  std::string ways;
  std::size_t met = 0;
  std::optional<std::string> through;
  for (const auto& hop : answer.hops) {
    const auto interface = interface_name(hop.ifindex);
    const auto is_way = [&](const auto& u) {
      return leaves_through(u, interface, query.destination.family(), hop.gateway);
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
  result.match = expected.empty() || met == answer.hops.size();
  result.reason = fmt::format("{} leaves through {}, {}", destination, ways, by(answer, rule));
  if (result.match) return result;
  result.reason += wanted == uplinks.end() ? fmt::format("; there is no uplink {} now", expected)
                                           : fmt::format("; it must leave through {} ({}){}", expected,
                                                         describe(wanted->interface, wanted->gateway),
                                                         met > 0 ? " alone" + cure : cure);
  return result;
}

}  // namespace ue::route
