#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "config/config.h"
#include "config/fields.h"
#include "config/file.h"
#include "config/yaml_reader.h"

namespace ue::config {

namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kStampPort = 862;  // RFC 8762 §4.1
constexpr std::uint16_t kStunPort = 3478;  // RFC 8489 §18.6
constexpr std::size_t kMaxHolds = 20;      // flows that the ladder may have open at once

// --- uplinks
// ---------------------------------------------------------------------------------------------------------

bool is_label_name(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
         name.npos;
}

void read_label(const Value& entry, Uplink& uplink) {
  static const std::set<std::string_view> kTaken{"uplink", "interface", "gateway"};
  const std::string& name = entry.key();
  if (!is_label_name(name)) {
    entry.fail_key("expected a label name as Prometheus has them: letters, digits and _, no digit first");
  } else if (name.starts_with("__")) {
    entry.fail_key("label names that begin with __ belong to Prometheus itself");
  } else if (kTaken.contains(name)) {
    entry.fail_key("uplink_info has this label already; choose another name");
  }
  uplink.labels[name] = entry.text("text");
}

void read_labels(const Value& v, Uplink& u) {
  for (const Value& entry : v.entries()) read_label(entry, u);
}

/// Keys of `uplinks`.
// clang-format off
constexpr Setting<Uplink> kUplinkKeys[] = {
    {"name", kRequired, "label value `uplink`", [](const Value& v, Uplink& u) { u.name = read_name(v); }},
    {"interface", kRequired, "the kernel's name of it, such as `eth1`", [](const Value& v, Uplink& u) { u.interface = read_interface(v); }},
    {"gateway", "of its default route", "the next hop; needed where no table has a default route through this interface", [](const Value& v, Uplink& u) { u.gateway = read_unicast_address(v); }},
    {"family", "`ipv4`", "or `ipv6`: an uplink is an interface and a family", [](const Value& v, Uplink& u) { u.family = read_family(v); }},
    {"fwmark", "none", "mark on every probe, for mwan3 and other policy routing; needs CAP_NET_RAW", [](const Value& v, Uplink& u) { u.fwmark = read_fwmark(v); }},
    {"labels", "none", "map of further labels, on `uplink_info` only; `carrier` and `asn` are what the fleet's rules look at", read_labels},
};
// clang-format on

Uplink read_uplink(const Value& v) {
  Uplink u = read_map<Uplink>(v, kUplinkKeys);
  if (u.gateway && u.gateway->family() != u.family) {
    v.find("gateway")->fail(u.family == Family::ipv4 ? "an IPv6 address needs family: ipv6 beside it"
                                                     : "expected an IPv6 address, as family is ipv6");
  }
  return u;
}

// --- reflectors and witnesses
// ----------------------------------------------------------------------------------------

void read_protocol(const Value& v, Reflector& r) {
  static constexpr std::array<std::string_view, 2> kNames{"stamp", "stun"};
  r.protocol = v.one_of(kNames) == 0 ? Protocol::stamp : Protocol::stun;
}

/// Keys of `reflectors`.
// clang-format off
constexpr Setting<Reflector> kReflectorKeys[] = {
    {"name", kRequired, "label value `reflector`", [](const Value& v, Reflector& r) { r.name = read_name(v); }},
    {"address", kRequired, "host or address, with a port or 862 (`stun`: 3478)", [](const Value& v, Reflector& r) { r.address = read_host_port(v); }},
    {"protocol", "`stamp`", "or `stun`: any STUN server; nobody can then say which way a packet died", read_protocol},
    {"key_file", "none", "`uplinktool keygen`, the same on both sides, mode 0600; without it no lifetimes are measured", [](const Value& v, Reflector& r) { r.key_file = read_path(v); }},
};
// clang-format on

Reflector read_reflector(const Value& v) {
  Reflector r = read_map<Reflector>(v, kReflectorKeys);
  if (r.address.port == 0) r.address.port = r.protocol == Protocol::stun ? kStunPort : kStampPort;
  if (r.protocol == Protocol::stun && !r.key_file.empty()) {
    v.find("key_file")->fail("a STUN server takes no key: remove this, or set protocol: stamp");
  }
  return r;
}

std::vector<HostPort> default_witnesses() {
  return {{"stun.l.google.com", 19302}, {"stun.cloudflare.com", kStunPort}};
}

/// Public STUN servers, so that a first run tells whether replies come back. The last of them answers over
/// TCP, too.
std::vector<Reflector> default_reflectors() {
  std::vector<Reflector> servers(3);
  servers[0].name = "google";
  servers[0].address = {"stun.l.google.com", 19302};
  servers[1].name = "cloudflare";
  servers[1].address = {"stun.cloudflare.com", kStunPort};
  servers[2].name = "nextcloud";
  servers[2].address = {"stun.nextcloud.com", kStunPort};
  for (auto& s : servers) {
    s.protocol = Protocol::stun;
    s.built_in = true;
  }
  return servers;
}

HostPort read_witness(const Value& v) {
  HostPort w = read_host_port(v);
  if (w.port == 0) w.port = kStunPort;
  return w;
}

// --- probe
// -----------------------------------------------------------------------------------------------------------

Profile read_profile(const Value& v) {
  static constexpr std::array<std::string_view, 2> kNames{"default", "metered"};
  return v.one_of(kNames) == 0 ? Profile::standard : Profile::metered;
}

std::vector<Nanos> read_holds(const Value& v) {
  std::vector<Nanos> holds;
  const auto items = v.items("a list of durations such as [1s, 10s, 60s]");
  if (items.size() > kMaxHolds) v.fail(fmt::format("expected at most {} durations", kMaxHolds));
  for (const Value& item : items) {
    const Nanos hold = item.duration(100ms, 600s);
    if (!holds.empty() && hold <= holds.back()) {
      item.fail(fmt::format("expected more than {}: holds ascend", duration_text(holds.back())));
    }
    holds.push_back(hold);
  }
  return holds;
}

/// Keys of `probe`: in parentheses what the profile `metered` begins with.
// clang-format off
constexpr Setting<Probe> kProbeKeys[] = {
    // Read before the others, whatever its place in the file: it sets what they default to.
    {"profile", "`default`", "or `metered`: under 4 MB a day for each uplink and reflector, slower; sets what the other keys default to", [](const Value&, Probe&) {}},
    {"interval", "`1s` (`15s`)", "between two probes of the steady flow, 100 ms to 1 min", [](const Value& v, Probe& p) { p.interval = v.duration(100ms, 1min); }},
    {"fresh_interval", "`30s` (`5m`)", "between two new flows, 5 s to 1 h", [](const Value& v, Probe& p) { p.fresh_interval = v.duration(5s, 1h); }},
    {"ladder_interval", "`5m` (`1h`)", "between two measurements of mapping lifetimes, 30 s to 24 h", [](const Value& v, Probe& p) { p.ladder_interval = v.duration(30s, 24h); }},
    {"holds", "`[1s, 2s, 5s, 10s, 20s, 30s, 60s, 120s]`", "the silences that are tried, ascending, 100 ms to 10 min; `[]`: none", [](const Value& v, Probe& p) { p.holds = read_holds(v); }},
    {"loss_threshold", "`0.05`", "share of packets above which an uplink is `lossy`, 0.001 to 0.9", [](const Value& v, Probe& p) { p.loss_threshold = v.ratio(0.001, 0.9); }},
};
// clang-format on

Probe read_probe(const Value& v) {
  const auto profile = v.find("profile");
  return read_map<Probe>(v, kProbeKeys, default_probe(profile ? read_profile(*profile) : Profile::standard));
}

// --- tunnels and routes
// ----------------------------------------------------------------------------------------------

/// More than this and a scrape is no longer quick; a server that has more is better asked for its sums.
constexpr std::uint64_t kMaxClientSeries = 1'000;

/// Keys of `openvpn.clients`.
// clang-format off
constexpr Setting<TunnelClients> kTunnelClientsKeys[] = {
    {"series", kRequired, "for so many clients, 1000 at most; all others share `common_name=\"_others\"`", [](const Value& v, TunnelClients& c) { c.series = v.integer(0, kMaxClientSeries); }},
    {"hash_key_file", "none", "show a keyed hash instead of the names; `head -c 32 /dev/urandom` makes one", [](const Value& v, TunnelClients& c) { c.hash_key_file = read_path(v); }},
};
// clang-format on

/// Keys of `openvpn`: at least one of `log`, `journal`, `status` and `management`; what several tell counts once.
// clang-format off
constexpr Setting<Tunnel> kTunnelKeys[] = {
    {"name", kRequired, "label value `tunnel`", [](const Value& v, Tunnel& t) { t.name = read_name(v); }},
    {"log", "none", "OpenVPN's log file; may be rotated, truncated, made anew", [](const Value& v, Tunnel& t) { t.log = read_path(v); }},
    {"journal", "none", "the systemd unit that OpenVPN runs in", [](const Value& v, Tunnel& t) { t.journal = read_unit(v); }},
    {"status", "none", "file of OpenVPN's `status` option, version 1, 2 or 3", [](const Value& v, Tunnel& t) { t.status = read_path(v); }},
    {"management", "none", "`unix:/path` or `tcp://127.0.0.1:7505`; it has one place, which the agent then keeps", [](const Value& v, Tunnel& t) { t.management = read_management(v); }},
    {"management_password_file", "none", "its first line is the password", [](const Value& v, Tunnel& t) { t.management_password_file = read_path(v); }},
    {"reflector", "none", "which reflector speaks for this tunnel's path", [](const Value& v, Tunnel& t) { t.reflector = read_name(v); }},
    {"device", "none", "its tun or tap interface: a route into it while the tunnel is not connected is told", [](const Value& v, Tunnel& t) { t.device = read_interface(v); }},
    {"clients", "none", "of a server: series for each client", [](const Value& v, Tunnel& t) { t.clients = read_map<TunnelClients>(v, kTunnelClientsKeys); }},
};
// clang-format on

Tunnel read_tunnel(const Value& v) {
  Tunnel t = read_map<Tunnel>(v, kTunnelKeys);
  if (t.log.empty() && t.journal.empty() && t.status.empty() && t.management.empty()) {
    v.fail("expected at least one of log, journal, status, management: nothing tells about this tunnel");
  }
  if (!t.management_password_file.empty() && t.management.empty()) {
    v.find("management_password_file")
        ->fail("there is no management beside it that would ask for the password");
  }
  return t;
}

/// Keys of `routes`.
// clang-format off
constexpr Setting<Route> kRouteKeys[] = {
    {"destination", kRequired, "address, prefix or name", [](const Value& v, Route& r) { r.destination = read_destination(v); }},
    {"uplink", kRequired, "the name of the uplink that it must leave through", [](const Value& v, Route& r) { r.uplink = read_name(v); }},
    {"fwmark", "none", "of the packets that are meant, where your rules look at marks", [](const Value& v, Route& r) { r.fwmark = read_fwmark(v); }},
    {"source", "none", "of the packets that are meant, where your rules look at addresses", [](const Value& v, Route& r) { r.source = read_unicast_address(v); }},
};
// clang-format on

// --- the file
// --------------------------------------------------------------------------------------------------------

template <typename T, typename Read>
std::vector<T> read_list(const Value& v, Read read) {
  std::vector<T> out;
  for (const Value& item : v.items("a list ([] for none)")) out.push_back(read(item));
  return out;
}

/// Keys of the file.
// clang-format off
constexpr Setting<Config> kConfigKeys[] = {
    {"uplinks", "discovered", "list of lines to the Internet; left out: every interface with a default route through a gateway in any table, tunnels excepted", [](const Value& v, Config& c) { c.uplinks = read_list<Uplink>(v, read_uplink); }},
    {"reflectors", "public STUN servers", "list of far ends to measure against", [](const Value& v, Config& c) { c.reflectors = read_list<Reflector>(v, read_reflector); }},
    {"witnesses", "two public STUN servers", "`host:port` of STUN servers that clear an uplink when a reflector dies; `[]` for none", [](const Value& v, Config& c) { c.witnesses = read_list<HostPort>(v, read_witness); }},
    {"probe", "as below", "how often is measured", [](const Value& v, Config& c) { c.probe = read_probe(v); }},
    {"openvpn", "none", "list of tunnels to watch", [](const Value& v, Config& c) { c.openvpn = read_list<Tunnel>(v, read_tunnel); }},
    {"routes", "none", "list of destinations and the uplink that each must leave through", [](const Value& v, Config& c) { c.routes = read_list<Route>(v, [](const Value& r) { return read_map<Route>(r, kRouteKeys); }); }},
    {"alertmanagers", "none", "URLs of Alertmanagers that the agent itself tells; only without a Prometheus that evaluates `rules/`", [](const Value& v, Config& c) { c.alertmanagers = read_list<std::string>(v, read_url); }},
};
// clang-format on

/// The entry of a list that was read without an error, and optionally one of its keys.
Value part(const Value& root, std::string_view list, std::size_t index, std::string_view key = {}) {
  const Value item = root.find(list)->item(index);
  return key.empty() ? item : *item.find(key);
}

/// Reports every entry whose identity (as get() makes it) an earlier one has.
template <typename T, typename Get>
void check_unique(const Value& root, std::string_view list, std::string_view key,
                  const std::vector<T>& entries, Get get) {
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string identity = get(entries[i]);
    const auto [first, fresh] = seen.emplace(identity, i);
    if (!fresh)
      part(root, list, i, key)
          .fail(fmt::format("{}[{}] has {} already", list, first->second, quote(identity)));
  }
}

/// Reports the reference at `where` unless one of `entries` has that name.
template <typename T>
void check_reference(const Value& where, const std::string& name, std::string_view list,
                     const std::vector<T>& entries) {
  std::vector<std::string_view> names;
  for (const auto& entry : entries) names.push_back(entry.name);
  if (std::find(names.begin(), names.end(), name) != names.end()) return;
  const auto guess = nearest(name, names);
  where.fail(fmt::format("no entry of {} has the name {}{}", list, quote(name),
                         guess.empty() ? "" : fmt::format("; did you mean {}?", quote(guess))));
}

/// What no single entry can know: names used twice, and references to what is not there.
void check_whole(const Value& root, const Config& c) {
  const auto name_of = [](const auto& entry) { return entry.name; };
  check_unique(root, "uplinks", "name", c.uplinks, name_of);
  check_unique(root, "uplinks", "interface", c.uplinks, [](const Uplink& u) {
    return fmt::format("{} {}", u.interface, u.family == Family::ipv4 ? "ipv4" : "ipv6");
  });
  check_unique(root, "reflectors", "name", c.reflectors, name_of);
  check_unique(root, "openvpn", "name", c.openvpn, name_of);
  check_unique(root, "routes", "destination", c.routes, [](const Route& r) { return r.destination; });
  check_unique(root, "alertmanagers", "", c.alertmanagers, [](const std::string& url) { return url; });
  if (root.find("witnesses")) {
    check_unique(root, "witnesses", "", c.witnesses, [](const HostPort& w) { return w.to_string(); });
  }
  for (std::size_t i = 0; i < c.openvpn.size(); ++i) {
    const auto& name = c.openvpn[i].reflector;
    if (!name.empty())
      check_reference(part(root, "openvpn", i, "reflector"), name, "reflectors", c.reflectors);
  }
  // Without `uplinks` they are discovered, and their names are not known yet.
  for (std::size_t i = 0; i < c.routes.size() && !c.uplinks.empty(); ++i) {
    check_reference(part(root, "routes", i, "uplink"), c.routes[i].uplink, "uplinks", c.uplinks);
  }
}

}  // namespace

Probe default_probe(Profile profile) {
  Probe p;
  p.profile = profile;
  p.holds = {1s, 2s, 5s, 10s, 20s, 30s, 60s, 120s};
  if (profile == Profile::metered) {
    p.interval = 15s;
    p.fresh_interval = 5min;
    p.ladder_interval = 1h;
  }
  return p;
}

Result<Config> parse_config(std::string_view yaml, const std::string& file) {
  const auto tree = parse_yaml(yaml, file);
  if (!tree) return Error{tree.error()};
  Report report(file);
  const Value root(*tree, "", report);
  Config defaults;
  defaults.reflectors = default_reflectors();
  defaults.witnesses = default_witnesses();
  defaults.probe = default_probe(Profile::standard);
  Config config = read_document<Config>(root, kConfigKeys, std::move(defaults));
  if (!report.first()) check_whole(root, config);
  if (report.first()) return *report.first();
  return config;
}

Result<Config> load_config(const std::string& path) {
  const auto text = read_file(path, kMaxFileSize);
  if (!text) return Error{text.error()};
  auto config = parse_config(*text, path);
  if (!config) return config;
  for (auto& r : config->reflectors) r.key_file = resolve_path(path, r.key_file);
  for (auto& t : config->openvpn) {
    for (auto* file : {&t.log, &t.status, &t.management_password_file, &t.clients.hash_key_file})
      *file = resolve_path(path, *file);
  }
  return config;
}

}  // namespace ue::config
