#include "alert/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace ue::alert {

namespace {

using namespace std::chrono_literals;
using metrics::Snapshot;
using verdict::Verdict;

constexpr double kFresh = 3600;  ///< seconds, as UplinkFaultFresh has it

/// Conditions of one evaluation, with the labels that all have.
class Gathering {
 public:
  explicit Gathering(std::string instance) : instance_(std::move(instance)) {}

  void add(std::string_view name, Labels labels, std::string description) {
    const Rule& found = rule(name);
    labels["alertname"] = found.name;
    labels["severity"] = found.severity;
    labels["job"] = "uplink_exporter";
    labels["instance"] = instance_;
    all_.push_back({&found, std::move(labels), std::move(description)});
  }
  std::vector<Condition> take() { return std::move(all_); }

 private:
  std::string instance_;
  std::vector<Condition> all_;
};

std::optional<std::string_view> alert_of(Verdict v) {
  switch (v) {
    case Verdict::one_way:
      return "UplinkUdpOneWay";
    case Verdict::stuck_mapping:
      return "UplinkMappingStuck";
    case Verdict::new_flows_blocked:
      return "UplinkNewFlowsBlocked";
    case Verdict::udp_blocked:
      return "UplinkUdpBlocked";
    case Verdict::no_return:
      return "UplinkUdpNoReturn";
    case Verdict::short_mapping:
      return "UplinkMappingShort";
    case Verdict::mtu_blackhole:
      return "UplinkMtuBlackhole";
    case Verdict::local_fault:
      return "UplinkLocalFault";
    case Verdict::down:
      return "UplinkDown";
    case Verdict::lossy:
      return "UplinkLossHigh";
    default:
      return std::nullopt;  // good, undecided, or told by its path
  }
}

/// Where the tunnel could go instead.
std::string detour(const Snapshot& s) {
  std::string ways;
  for (const auto& uplink : s.uplinks) {
    if (uplink->conclusion.verdict != Verdict::healthy) continue;
    ways +=
        fmt::format(" `ip route add VPN-SERVER/32{}{} dev {}` ({} is healthy).",
                    uplink->gateway.empty() ? "" : " via ", uplink->gateway, uplink->interface, uplink->name);
  }
  return " Remedy: send the VPN server's address through another uplink:" +
         (ways.empty() ? " none that is healthy stands on this gateway now." : ways);
}

bool needs_detour(Verdict v) {
  return v == Verdict::one_way || v == Verdict::udp_blocked || v == Verdict::no_return || v == Verdict::down;
}

/// What explains that a tunnel fails; Alertmanager holds the tunnels' alerts back while it is new.
bool explains_tunnels(Verdict v) {
  return needs_detour(v) || v == Verdict::mtu_blackhole || v == Verdict::local_fault;
}

void uplinks(const Snapshot& s, const Now& now, Gathering& out) {
  std::set<std::string> dead_reflectors;
  bool fresh_fault = false;
  for (const auto& uplink : s.uplinks) {
    const auto& concluded = uplink->conclusion;
    if (const auto name = alert_of(concluded.verdict)) {
      Labels labels{{"uplink", uplink->name}, {"verdict", std::string(verdict::name(concluded.verdict))}};
      // With the carrier's name where the configuration gives one: UplinkCarrierOneWay inhibits by it.
      if (concluded.verdict == Verdict::one_way && uplink->labels.contains("carrier")) {
        for (const char* label : {"carrier", "asn"}) {
          if (const auto value = uplink->labels.find(label); value != uplink->labels.end())
            labels.insert(*value);
        }
      }
      out.add(*name, std::move(labels), concluded.why + (needs_detour(concluded.verdict) ? detour(s) : ""));
    }
    fresh_fault = fresh_fault || (explains_tunnels(concluded.verdict) && uplink->last_change &&
                                  to_unix_seconds(now.wall) - *uplink->last_change < kFresh);
    for (const auto& path : uplink->paths) {
      if (path->conclusion.verdict != Verdict::reflector_down) continue;
      if (dead_reflectors.insert(path->reflector).second)
        out.add("UplinkReflectorDown", {{"reflector", path->reflector}}, path->conclusion.why);
    }
  }
  if (fresh_fault)
    out.add("UplinkFaultFresh", {}, "Alerts on the tunnels wait behind the alert on their uplink.");
}

void route(const metrics::Route& r, Growth& growth, const Now& now, Gathering& out) {
  growth.observe("route " + r.destination, r.changes, now.mono);
  if (r.match && !*r.match) {
    out.add(r.interface.empty() ? "UplinkRouteMissing" : "UplinkRouteMismatch",
            {{"destination", r.destination}, {"uplink", r.expected}}, r.reason);
  }
  const auto changes = growth.over("route " + r.destination, 15min, now.mono);
  if (changes >= 5)
    out.add(
        "UplinkRouteFlapping", {{"destination", r.destination}},
        fmt::format(
            "The way to {} changed {} times in 15 min. Each change moves the tunnel to another NAT, which "
            "does not know it. Remedy: end the quarrel between what sets routes, or pin the destination "
            "with one host route.",
            r.destination, changes));
}

struct DiagnosisAlert {
  std::string_view diagnosis;
  std::string_view name;
  std::string_view description;
};
constexpr DiagnosisAlert kDiagnoses[] = {
    {"one_way_loop", "UplinkOpenvpnOneWayLoop",
     "Every session passes its handshake and then hears nothing until the keepalive ends it: a NAT on its "
     "way "
     "forgets flows however much is sent."},
    {"auth_failure", "UplinkOpenvpnAuthFailure",
     "The server refuses the credentials; packets pass both ways, so no uplink and no carrier is to blame. "
     "Remedy: renew the password, token or certificate."},
    {"shared_common_name", "UplinkOpenvpnSharedCommonName",
     "Two addresses take turns under one common name and throw each other out. Remedy: a certificate for "
     "each "
     "client, or `duplicate-cn`."},
    {"keepalive_mismatch", "UplinkOpenvpnKeepaliveMismatch",
     "Sessions end at the client's ping-restart because the server was never told to ping. Remedy: "
     "`keepalive "
     "10 60` in the server's configuration, and no ping options in the client's."},
    {"wrong_reply_source", "UplinkOpenvpnWrongReplySource",
     "The server answers from another of its addresses, and the client throws that away. Remedy: `multihome` "
     "or `local ADDRESS` on the server, or name the address it answers from in `remote`."},
};

void tunnel(const metrics::Tunnel& t, const Snapshot& s, Growth& growth, const Now& now, Gathering& out) {
  std::uint64_t reconnects = 0;
  for (const auto& [how, count] : t.reconnects) reconnects += count;
  growth.observe("reconnects " + t.name, reconnects, now.mono);
  growth.observe("failed " + t.name, t.handshakes_failed, now.mono);
  growth.observe("completed " + t.name, t.handshakes_completed, now.mono);

  const bool connected = t.state == "connected";
  const auto now_seconds = to_unix_seconds(now.wall);
  const bool stands = connected && t.last_connected && now_seconds - *t.last_connected > 90;
  const auto looped = growth.over("reconnects " + t.name, 5min, now.mono);
  if (looped >= 3 && !stands) {
    out.add(
        "UplinkOpenvpnReconnectLoop", {{"tunnel", t.name}},
        fmt::format("Tunnel {} reconnected {} times in 5 min; nothing works through it although its log says "
                    "that it connects.{}",
                    t.name, looped, detour(s)));
  }
  if (!connected && t.state != "unknown") {
    out.add("UplinkOpenvpnDisconnected", {{"tunnel", t.name}, {"state", "connected"}},
            t.last_connected
                ? fmt::format("Tunnel {} is not connected; its last connection began {} ago.", t.name,
                              format_duration(from_seconds(now_seconds - *t.last_connected)))
                : fmt::format("Tunnel {} is not connected and has not been.", t.name));
  }
  const auto failed = growth.over("failed " + t.name, 15min, now.mono);
  if (failed >= 3 && growth.over("completed " + t.name, 15min, now.mono) == 0 && !connected) {
    out.add(
        "UplinkOpenvpnHandshakeFailing", {{"tunnel", t.name}},
        fmt::format("{} handshakes of tunnel {} failed in 15 min and none was completed; its sources amount "
                    "to {}.",
                    failed, t.name, t.diagnosis));
  }
  if (!t.routes_fault.empty())
    out.add("UplinkTunnelBlackhole", {{"tunnel", t.name}},
            fmt::format("Tunnel {}: {}.", t.name, t.routes_fault));
  for (const auto& d : kDiagnoses) {
    if (d.diagnosis == t.diagnosis)
      out.add(d.name, {{"tunnel", t.name}, {"diagnosis", t.diagnosis}},
              fmt::format("Tunnel {}: {}{}", t.name, d.description,
                          t.diagnosis == "one_way_loop" ? detour(s) : ""));
  }
}

void machine(const Snapshot& s, Gathering& out) {
  if (!s.config_reload_ok)
    out.add("UplinkExporterReloadFailed", {},
            "The newest configuration was refused; the log names the place and the remedy.");
  if (s.conntrack && s.conntrack->limit > 0) {
    const double taken = static_cast<double>(s.conntrack->entries) / static_cast<double>(s.conntrack->limit);
    if (taken > 0.9)
      out.add(
          "UplinkConntrackNearlyFull", {},
          fmt::format("{:.1f} % of the connection tracker's table are taken. When it is full, this gateway "
                      "itself drops the packets of new flows, and no carrier is to blame.",
                      taken * 100));
  }
  for (const auto& c : s.collectors) {
    if (!c.up && !c.optional)
      out.add("UplinkExporterCollectorDown", {{"collector", c.name}},
              fmt::format("Collector {} gives no data: {}.", c.name, c.remedy));
  }
}

}  // namespace

std::vector<Condition> conditions(const Snapshot& snapshot, const std::string& instance, Growth& growth,
                                  const Now& now) {
  Gathering out(instance);
  uplinks(snapshot, now, out);
  for (const auto& r : snapshot.routes) route(r, growth, now, out);
  for (const auto& t : snapshot.tunnels) tunnel(*t, snapshot, growth, now, out);
  machine(snapshot, out);
  auto all = out.take();
  growth.forget_unseen(now.mono);
  // Of no job and no instance, as vector(1) is.
  const Rule& watchdog = rule("UplinkWatchdog");
  all.push_back(
      {&watchdog,
       {{"alertname", std::string(watchdog.name)}, {"severity", std::string(watchdog.severity)}},
       "Send this to a dead man's switch. When it stops arriving, the agent, Alertmanager or the way "
       "between them is broken."});
  return all;
}

}  // namespace ue::alert
