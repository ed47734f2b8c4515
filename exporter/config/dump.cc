#include "config/dump.h"

#include <fmt/format.h>
#include <yaml-cpp/emitter.h>

namespace ue::config {

namespace {

/// A map being written: keys whose value says nothing are left out.
class Map {
 public:
  explicit Map(YAML::Emitter& out, bool flow = false) : out_(out) {
    if (flow) out_ << YAML::Flow;
    out_ << YAML::BeginMap;
  }
  ~Map() { out_ << YAML::EndMap; }
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  Map& text(const char* key, const std::string& value) {
    if (!value.empty()) out_ << YAML::Key << key << YAML::Value << YAML::DoubleQuoted << value;
    return *this;
  }
  template <typename T>
  Map& plain(const char* key, const T& value) {
    out_ << YAML::Key << key << YAML::Value << value;
    return *this;
  }
  Map& mark(std::uint32_t fwmark) {
    return fwmark == 0 ? *this : plain("fwmark", fmt::format("{:#x}", fwmark));
  }

 private:
  YAML::Emitter& out_;
};

template <typename T, typename Write>
void list(YAML::Emitter& out, const char* key, const std::vector<T>& entries, Write write,
          bool flow = false) {
  out << YAML::Key << key << YAML::Value;
  if (flow || entries.empty()) out << YAML::Flow;
  out << YAML::BeginSeq;
  for (const auto& entry : entries) write(entry);
  out << YAML::EndSeq;
}

std::string without_userinfo(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == url.npos) return url;
  const auto end = url.find('/', begin + 3);
  const auto at = url.substr(0, end).rfind('@');
  return at == url.npos ? url : url.substr(0, begin + 3) + "<secret>" + url.substr(at);
}

std::string optional_text(const std::optional<IpAddress>& address) {
  return address ? address->to_string() : "";
}

void write_tunnel(YAML::Emitter& out, const Tunnel& t) {
  Map map(out);
  map.text("name", t.name).text("log", t.log).text("journal", t.journal).text("status", t.status);
  map.text("management", t.management).text("management_password_file", t.management_password_file);
  map.text("reflector", t.reflector);
  if (t.clients != TunnelClients{}) {
    out << YAML::Key << "clients" << YAML::Value;
    Map(out, true).plain("series", t.clients.series).text("hash_key_file", t.clients.hash_key_file);
  }
}

void write_uplink(YAML::Emitter& out, const Uplink& u) {
  Map map(out);
  map.text("name", u.name).text("interface", u.interface).text("gateway", optional_text(u.gateway));
  map.plain("family", u.family == Family::ipv4 ? "ipv4" : "ipv6").mark(u.fwmark);
  if (u.labels.empty()) return;
  out << YAML::Key << "labels" << YAML::Value;
  Map labels(out, true);
  for (const auto& [name, value] : u.labels) labels.text(name.c_str(), value);
}

void write_probe(YAML::Emitter& out, const Probe& p) {
  out << YAML::Key << "probe" << YAML::Value;
  Map map(out);
  map.plain("profile", p.profile == Profile::standard ? "default" : "metered");
  map.plain("interval", duration_text(p.interval)).plain("fresh_interval", duration_text(p.fresh_interval));
  map.plain("ladder_interval", duration_text(p.ladder_interval));
  map.plain("loss_threshold", fmt::format("{}", p.loss_threshold));
  list(
      out, "holds", p.holds, [&](Nanos hold) { out << duration_text(hold); }, true);
}

}  // namespace

std::string to_yaml(const Config& c) {
  YAML::Emitter out;
  {
    const Map file(out);
    // None at all means that they are discovered, which an empty list says, too.
    list(out, "uplinks", c.uplinks, [&](const Uplink& u) { write_uplink(out, u); });
    // Left out, they are the built-in ones.
    if (c.reflectors.empty() || !c.reflectors.front().built_in) {
      list(out, "reflectors", c.reflectors, [&](const Reflector& r) {
        Map map(out);
        map.text("name", r.name).text("address", r.address.to_string());
        map.plain("protocol", r.protocol == Protocol::stamp ? "stamp" : "stun").text("key_file", r.key_file);
      });
    }
    list(
        out, "witnesses", c.witnesses, [&](const HostPort& w) { out << YAML::DoubleQuoted << w.to_string(); },
        true);
    write_probe(out, c.probe);
    list(out, "openvpn", c.openvpn, [&](const Tunnel& t) { write_tunnel(out, t); });
    list(out, "routes", c.routes, [&](const Route& r) {
      Map map(out);
      map.text("destination", r.destination).text("uplink", r.uplink).mark(r.fwmark);
      map.text("source", optional_text(r.source));
    });
    list(out, "alertmanagers", c.alertmanagers,
         [&](const std::string& url) { out << YAML::DoubleQuoted << without_userinfo(url); });
  }
  return std::string(out.c_str()) + "\n";
}

std::string to_yaml(const ReflectorConfig& c) {
  YAML::Emitter out;
  {
    Map file(out);
    list(
        out, "listen", c.listen, [&](const HostPort& l) { out << YAML::DoubleQuoted << l.to_string(); },
        true);
    file.text("key_file", c.key_file).plain("allow_unauthenticated", c.allow_unauthenticated);
    out << YAML::Key << "limits" << YAML::Value;
    const auto& l = c.limits;
    Map(out)
        .plain("max_sessions", l.max_sessions)
        .plain("max_sessions_per_key", l.max_sessions_per_key)
        .plain("packets_per_second_per_source", l.packets_per_second_per_source)
        .plain("query_connections", l.query_connections)
        .plain("max_holds", l.max_holds)
        .plain("max_holds_per_key", l.max_holds_per_key)
        .plain("max_holds_per_prefix", l.max_holds_per_prefix);
  }
  return std::string(out.c_str()) + "\n";
}

}  // namespace ue::config
