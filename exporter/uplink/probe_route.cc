#include "uplink/probe_route.h"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/log.h"

namespace ue::uplink {

namespace {

fib_rule_hdr rule_header(Family family) {
  fib_rule_hdr header{};
  header.family = static_cast<std::uint8_t>(to_af(family));
  header.action = FR_ACT_TO_TBL;
  return header;
}

/// What to type where the agent may not do it itself. A rule without a priority goes before `main`, which
/// suits it.
std::string by_hand(const config::Uplink& uplink, std::uint32_t table,
                    const std::optional<IpAddress>& source) {
  const auto* ip = uplink.family == Family::ipv4 ? "ip" : "ip -6";
  auto text = fmt::format("{} route replace default via {} dev {} table {}; {} rule add oif {} lookup {}", ip,
                          uplink.gateway->to_string(), uplink.interface, table, ip, uplink.interface, table);
  if (source) text += fmt::format("; {} rule add from {} lookup {}", ip, source->to_string(), table);
  return text;
}

/// `source` only where replies need a rule too.
Error refused(const config::Uplink& uplink, const std::string& what, int code, std::uint32_t table,
              const std::optional<IpAddress>& source) {
  if (code == EPERM || code == EACCES) {
    return Error{fmt::format("{} on {}: not permitted; grant the program CAP_NET_ADMIN, or run: {}", what,
                             uplink.interface, by_hand(uplink, table, source))};
  }
  if (code == ENETUNREACH || code == EHOSTUNREACH || code == EINVAL) {
    return Error{fmt::format("{} on {}: {} (is it in a subnet of {}? check `gateway:` of uplink {})", what,
                             uplink.interface, errno_error("the kernel refuses", code).message,
                             uplink.interface, uplink.name)};
  }
  return errno_error(fmt::format("{} on {}", what, uplink.interface), code);
}

/// The messages of a dump that carry our protocol number, as they were sent: a deletion takes the same
/// fields.
template <typename Header>
std::vector<Bytes> find_ours(NetlinkSocket& socket, int dump, int expected, Family family,
                             bool (*is_ours)(const Header&, nlmsghdr*)) {
  Header header{};
  if constexpr (std::is_same_v<Header, rtmsg>) {
    header.rtm_family = static_cast<unsigned char>(to_af(family));
    header.rtm_protocol = kProbeProtocol;
  } else {
    header.family = static_cast<std::uint8_t>(to_af(family));
  }
  std::vector<Bytes> found;
  (void)socket.transact(
      Request(dump, NLM_F_DUMP, header),
      [&](nlmsghdr* m) {
        if (m->nlmsg_type != expected || !nlmsg_valid_hdr(m, sizeof(Header))) return;
        if (!is_ours(*static_cast<const Header*>(nlmsg_data(m)), m)) return;
        const auto* payload = static_cast<const std::uint8_t*>(nlmsg_data(m));
        found.emplace_back(payload, payload + nlmsg_datalen(m));
      },
      [&] { found.clear(); });
  return found;
}

bool is_our_route(const rtmsg& header, nlmsghdr*) { return header.rtm_protocol == kProbeProtocol; }

bool is_our_rule(const fib_rule_hdr& header, nlmsghdr* message) {
  std::array<nlattr*, FRA_MAX + 1> attributes{};
  if (nlmsg_parse(message, sizeof header, attributes.data(), FRA_MAX, nullptr) != 0) return false;
  return attributes[FRA_PROTOCOL] != nullptr && nla_get_u8(attributes[FRA_PROTOCOL]) == kProbeProtocol;
}

}  // namespace

Result<std::monostate> ProbeRoutes::open() {
  if (socket_) return std::monostate{};
  auto socket = NetlinkSocket::open();
  if (!socket) return Error{socket.error()};
  socket_.emplace(std::move(*socket));
  if (!share_) remove_stale();
  return std::monostate{};
}

void ProbeRoutes::remove_stale() {
  std::size_t removed = 0;
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    for (const auto& rule :
         find_ours<fib_rule_hdr>(*socket_, RTM_GETRULE, RTM_NEWRULE, family, is_our_rule)) {
      removed += socket_->transact(Request(RTM_DELRULE, 0, rule.data(), rule.size())) == 0 ? 1 : 0;
    }
    for (const auto& route : find_ours<rtmsg>(*socket_, RTM_GETROUTE, RTM_NEWROUTE, family, is_our_route)) {
      removed += socket_->transact(Request(RTM_DELROUTE, 0, route.data(), route.size())) == 0 ? 1 : 0;
    }
  }
  if (removed > 0) {
    log::info("PROBE_ROUTE_STALE",
              "removed {} rules and routes (proto {}) that an earlier run had left behind", removed,
              kProbeProtocol);
  }
}

int ProbeRoutes::put_route(int type, int flags, const Installed& entry) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(to_af(entry.family));
  header.rtm_protocol = kProbeProtocol;
  header.rtm_type = RTN_UNICAST;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  Request request(type, flags, header);
  request.u32(RTA_TABLE, entry.table())
      .u32(RTA_OIF, static_cast<std::uint32_t>(entry.ifindex))
      .address(RTA_GATEWAY, entry.gateway);
  return socket_->transact(request);
}

int ProbeRoutes::put_bound_rule(int type, int flags, const Installed& entry) {
  Request request(type, flags, rule_header(entry.family));
  request.text(FRA_OIFNAME, entry.interface)
      .u32(FRA_TABLE, entry.table())
      .u32(FRA_PRIORITY, kBoundRulePriority)
      .u8(FRA_PROTOCOL, kProbeProtocol);
  return socket_->transact(request);
}

int ProbeRoutes::put_pair_rule(int type, int flags, const Installed& entry, const IpAddress& target) {
  auto header = rule_header(entry.family);
  header.src_len = entry.source->bits();
  header.dst_len = target.bits();
  Request request(type, flags, header);
  request.address(FRA_SRC, *entry.source)
      .address(FRA_DST, target)
      .u32(FRA_TABLE, entry.table())
      .u32(FRA_PRIORITY, kReplyRulePriority)
      .u8(FRA_PROTOCOL, kProbeProtocol);
  return socket_->transact(request);
}

Result<std::monostate> ProbeRoutes::install(const config::Uplink& uplink, const Installed& entry, bool first,
                                            bool replies_dropped) {
  const auto source = replies_dropped ? entry.source : std::nullopt;
  // The first time whatever is there is replaced; later only what is missing is added, because each
  // replacement would be reported to the Monitor as a change.
  int code = put_route(RTM_NEWROUTE, NLM_F_CREATE | (first ? NLM_F_REPLACE : NLM_F_EXCL), entry);
  if (code != 0 && code != EEXIST) {
    return refused(uplink, fmt::format("routing probes via {}", entry.gateway.to_string()), code,
                   entry.table(), source);
  }
  code = put_bound_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, entry);
  if (code != 0 && code != EEXIST)
    return refused(uplink, "adding a rule for probes", code, entry.table(), source);
  if (first) {
    log::info("PROBE_ROUTE_ADDED",
              "uplink {}: the tables have no way for probes through {} and back; added one via {} in table "
              "{}, which only "
              "they use, until exit",
              uplink.name, entry.interface, entry.gateway.to_string(), entry.table());
  }
  return std::monostate{};
}

Result<std::monostate> ProbeRoutes::ensure_target(const config::Uplink& uplink, Installed& entry,
                                                  const IpAddress& target) {
  const RouteQuery query{target, entry.ifindex, uplink.fwmark, entry.source};
  if (entry.source && (entry.pairs.contains(target) || !check_route(*socket_, query).routed ||
                       !check_reply(*socket_, query).accepted)) {
    const int code = put_pair_rule(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, entry, target);
    if (code != 0 && code != EEXIST) {
      return refused(uplink, fmt::format("adding a rule for replies from {}", target.to_string()), code,
                     entry.table(), entry.source);
    }
    entry.pairs.insert(target);
  }
  const auto route = check_route(*socket_, query);
  if (!route.routed) {
    return Error{fmt::format("no route from {} to {} although one via {} was added: {} (look at `ip rule`)",
                             uplink.interface, target.to_string(), entry.gateway.to_string(), route.reason)};
  }
  if (const auto reply = check_reply(*socket_, query); !reply.accepted) {
    return Error{fmt::format(
        "replies from {} would not be accepted on {}: {} (sysctl -w net.ipv4.conf.{}.rp_filter=2)",
        target.to_string(), uplink.interface, reply.reason, uplink.interface)};
  }
  return std::monostate{};
}

Result<std::monostate> ProbeRoutes::ensure(const config::Uplink& uplink, const UplinkState& state,
                                           std::span<const IpAddress> targets) {
  if (!uplink.gateway) {
    remove(uplink.name);
    return std::monostate{};
  }
  if (!state.usable())
    return std::monostate{};  // its fault is told already, and the kernel drops the routes itself
  if (auto opened = open(); !opened) return opened;

  Installed wanted{uplink.interface, uplink.family, state.ifindex, *uplink.gateway, state.source, {}};
  auto it = installed_.find(uplink.name);
  if (it != installed_.end() && !it->second.same_route(wanted)) {
    withdraw(it->second);
    installed_.erase(it);
    it = installed_.end();
  }
  std::set<IpAddress> probed;
  for (const auto& target : targets) {
    if (target.family() == uplink.family) probed.insert(target);
  }
  const bool first = it == installed_.end();
  bool replies_dropped = false;
  if (first) {
    bool routed = true;
    for (const auto& target : probed) {
      const RouteQuery query{target, state.ifindex, uplink.fwmark, state.source};
      routed = routed && check_route(*socket_, query).routed;
      replies_dropped = replies_dropped || !check_reply(*socket_, query).accepted;
    }
    if (routed && !replies_dropped) return std::monostate{};
  }
  auto installed = install(uplink, first ? wanted : it->second, first, replies_dropped);
  if (!installed) {
    if (first) withdraw(wanted);
    return installed;
  }
  if (first) it = installed_.emplace(uplink.name, std::move(wanted)).first;

  auto& pairs = it->second.pairs;
  for (auto pair = pairs.begin(); pair != pairs.end();) {
    if (probed.contains(*pair)) {
      ++pair;
      continue;
    }
    (void)put_pair_rule(RTM_DELRULE, 0, it->second, *pair);
    pair = pairs.erase(pair);
  }
  Result<std::monostate> result = std::monostate{};
  for (const auto& target : probed) {
    auto done = ensure_target(uplink, it->second, target);
    if (!done && result)
      result = std::move(done);  // the first fault is told, the other targets still get their rules
  }
  return result;
}

void ProbeRoutes::withdraw(const Installed& entry) {
  // Rules first: a rule whose table is empty would only cost look-ups, but a route nobody asks for costs
  // nothing.
  for (const auto& target : entry.pairs) (void)put_pair_rule(RTM_DELRULE, 0, entry, target);
  (void)put_bound_rule(RTM_DELRULE, 0, entry);
  (void)put_route(RTM_DELROUTE, 0, entry);
}

void ProbeRoutes::remove(const std::string& uplink) {
  const auto it = installed_.find(uplink);
  if (it == installed_.end()) return;
  withdraw(it->second);
  installed_.erase(it);
}

void ProbeRoutes::remove_all() {
  for (const auto& [name, entry] : installed_) withdraw(entry);
  installed_.clear();
}

}  // namespace ue::uplink
