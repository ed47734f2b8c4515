#include "web/status_json.h"

#include <nlohmann/json.hpp>

namespace ue::web {
namespace {

using Json = nlohmann::ordered_json;
using metrics::Snapshot;

template <typename T>
Json maybe(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}
Json maybe(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json ratio(std::uint64_t part, std::uint64_t of) {
  return of == 0 ? Json(nullptr) : Json(static_cast<double>(part) / static_cast<double>(of));
}

Json recent(const std::optional<metrics::Recent>& r) {
  if (!r) return nullptr;
  const auto delivered = r->answered + r->return_lost;
  return {{"answered", r->answered},
          {"forward_lost", r->forward_lost},
          {"return_lost", r->return_lost},
          {"unattributed", r->unattributed},
          {"forward_ratio", ratio(delivered, delivered + r->forward_lost)},
          {"return_ratio", ratio(r->answered, delivered)}};
}

Json series(const metrics::Series& s) {
  Json bins = Json::array();
  for (const auto& b : s.bins) {
    bins.push_back({b.answered, b.forward_lost, b.return_lost, b.unattributed, b.open,
                    b.rtt > 0 ? Json(b.rtt) : Json(nullptr)});
  }
  return {{"bin_seconds", s.width}, {"end", s.end}, {"bins", std::move(bins)}};
}

Json lifetimes(const metrics::Path& path, const metrics::PathPast* past) {
  Json out = Json::object();
  for (const auto& [pattern, lifetime] : path.lifetimes) {
    Json holds = Json::array();
    for (const auto& [hold, n] : lifetime.holds) {
      const auto newest = past == nullptr ? decltype(past->holds.end()){} : past->holds.find({pattern, hold});
      const bool known = past != nullptr && newest != past->holds.end();
      holds.push_back({{"hold_seconds", std::strtod(hold.c_str(), nullptr)},
                       {"probes", n.probes},
                       {"replies", n.replies},
                       {"newest_probes", known ? Json(newest->second.probes) : Json(nullptr)},
                       {"newest_replies", known ? Json(newest->second.replies) : Json(nullptr)}});
    }
    out[pattern] = {{"lower_seconds", maybe(lifetime.lower)},
                    {"upper_seconds", maybe(lifetime.upper)},
                    {"upper_is_own", maybe(lifetime.is_own)},
                    {"holds", std::move(holds)}};
  }
  return out;
}

Json path_json(const Snapshot& s, const metrics::Path& p) {
  const metrics::PathPast* past = nullptr;
  if (s.past) {
    const auto found = s.past->paths.find({p.uplink, p.reflector});
    if (found != s.past->paths.end()) past = &found->second;
  }
  return {{"reflector", p.reflector},
          {"verdict", verdict::name(p.conclusion.verdict)},
          {"why", p.conclusion.why},
          {"scope", verdict::scope_name(p.conclusion.scope)},
          {"where", maybe(p.conclusion.where)},
          {"recent", recent(p.recent)},
          {"rtt_seconds", maybe(p.smoothed_rtt)},
          {"last_reply", maybe(p.last_reply)},
          {"mapped_endpoint", maybe(p.mapped_endpoint)},
          {"mapped_port_changes", p.mapped_port_changes},
          {"mapped_address_changes", p.mapped_address_changes},
          {"mapping_lifetimes", lifetimes(p, past)},
          {"minutes", past == nullptr ? Json(nullptr) : series(past->minutes)},
          {"hours", past == nullptr ? Json(nullptr) : series(past->hours)}};
}

Json uplink_json(const Snapshot& s, const metrics::Uplink& u) {
  Json paths = Json::array();
  for (const auto& path : u.paths) paths.push_back(path_json(s, *path));
  Json changes = Json::array();
  if (s.past && s.past->changes.contains(u.name)) {
    for (const auto& change : s.past->changes.at(u.name)) {
      changes.push_back({{"at", change.at},
                         {"verdict", verdict::name(change.conclusion.verdict)},
                         {"why", change.conclusion.why}});
    }
  }
  return {
      {"name", u.name},
      {"interface", u.interface},
      {"gateway", maybe(u.gateway)},
      {"labels", u.labels},
      {"verdict", verdict::name(u.conclusion.verdict)},
      {"why", u.conclusion.why},
      {"since", maybe(u.last_change)},
      {"verdict_changes", u.verdict_changes},
      {"scope", u.scope},
      {"where", maybe(u.conclusion.where)},
      {"link_up", maybe(u.link_up)},
      {"default_route", maybe(u.default_route)},
      {"gateway_reachable", maybe(u.gateway_reachable)},
      {"preflight", u.preflight},
      {"nat",
       {{"mapping", u.nat.mapping}, {"filtering", u.nat.filtering}, {"carrier_grade", u.nat.carrier_grade}}},
      {"paths", std::move(paths)},
      {"history", std::move(changes)}};
}

Json tunnel_json(const metrics::Tunnel& t) {
  Json reconnects = Json::array();
  for (const auto& [key, n] : t.reconnects)
    reconnects.push_back({{"reason", key.first}, {"from", key.second}, {"count", n}});
  return {{"name", t.name},
          {"state", t.state},
          {"diagnosis", t.diagnosis},
          {"sources", t.sources},
          {"reconnects", std::move(reconnects)},
          {"handshakes_started", t.handshakes_started},
          {"handshakes_completed", t.handshakes_completed},
          {"handshakes_failed", t.handshakes_failed},
          {"endpoint_changes", t.endpoint_changes},
          {"keepalive_ping_seconds", maybe(t.keepalive_ping)},
          {"keepalive_restart_seconds", maybe(t.keepalive_restart)},
          {"last_connected", maybe(t.last_connected)},
          {"last_received", maybe(t.last_received)},
          {"connected_clients", maybe(t.connected_clients)},
          {"routes", maybe(t.routes)},
          {"routes_fault", maybe(t.routes_fault)}};
}

Json program_json(std::string_view name, const metrics::Build& build, double published, bool reload_ok,
                  double reload_time) {
  return {{"program", name},
          {"version", build.version},
          {"published", published},
          {"config", {{"newest_in_force", reload_ok}, {"loaded", reload_time}}}};
}

/// Text may come from anywhere, and be no UTF-8.
std::string to_text(const Json& json) {
  return json.dump(1, ' ', false, nlohmann::detail::error_handler_t::replace) + "\n";
}

}  // namespace

std::string status_json(const Snapshot& s) {
  Json out = program_json("uplink_exporter", s.build, s.published, s.config_reload_ok, s.config_reload_time);
  out["ready"] = s.ready;
  out["history_began"] = s.past ? Json(s.past->began) : Json(nullptr);
  for (const char* list : {"uplinks", "tunnels", "routes", "collectors"}) out[list] = Json::array();
  for (const auto& uplink : s.uplinks) out["uplinks"].push_back(uplink_json(s, *uplink));
  for (const auto& tunnel : s.tunnels) out["tunnels"].push_back(tunnel_json(*tunnel));
  for (const auto& r : s.routes) {
    out["routes"].push_back({{"destination", r.destination},
                             {"expected", maybe(r.expected)},
                             {"match", maybe(r.match)},
                             {"uplink", maybe(r.uplink)},
                             {"interface", maybe(r.interface)},
                             {"gateway", maybe(r.gateway)},
                             {"table", maybe(r.table)},
                             {"why", r.reason},
                             {"changes", r.changes}});
  }
  for (const auto& c : s.collectors) {
    out["collectors"].push_back(
        {{"name", c.name}, {"up", c.up}, {"optional", c.optional}, {"remedy", maybe(c.remedy)}});
  }
  out["reflectors"] = s.reflectors_up;
  return to_text(out);
}

std::string status_json(const metrics::ReflectorSnapshot& s) {
  Json out = program_json("uplink_reflector", s.build, s.published, s.config_reload_ok, s.config_reload_time);
  out["sessions"] = s.sessions;
  out["sessions_limit"] = s.sessions_limit;
  out["sessions_started"] = s.sessions_started;
  out["holding"] = s.holding;
  out["packets"] = s.packets;
  out["queries"] = s.queries;
  out["holds"] = s.holds;
  return to_text(out);
}

}  // namespace ue::web
