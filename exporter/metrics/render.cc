#include "metrics/render.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "metrics/families.h"

namespace ue::metrics {
namespace {

constexpr auto kScopes = std::to_array<std::string_view>({"gateway", "home", "carrier", "beyond", "unknown"});
constexpr auto kTunnelStates = std::to_array<std::string_view>(
    {"connected", "connecting", "wait", "auth", "reconnecting", "exiting", "unknown"});
constexpr auto kDiagnoses = std::to_array<std::string_view>(
    {"healthy", "one_way_loop", "no_return", "auth_failure", "shared_common_name", "keepalive_mismatch",
     "wrong_reply_source", "server_restart", "disconnected", "unknown"});

const std::array<std::string_view, verdict::kVerdicts>& verdict_names() {
  static const auto names = [] {
    std::array<std::string_view, verdict::kVerdicts> out;
    std::transform(verdict::kAllVerdicts.begin(), verdict::kAllVerdicts.end(), out.begin(), verdict::name);
    return out;
  }();
  return names;
}

double number(std::uint64_t v) { return static_cast<double>(v); }

void add_process(Families& out, const ProcessStats& p) {
  out.counter("process_cpu_seconds_total", {}, p.cpu_seconds);
  out.gauge("process_start_time_seconds", {}, p.start_time);
  out.gauge("process_resident_memory_bytes", {}, number(p.resident_bytes));
  out.gauge("process_virtual_memory_bytes", {}, number(p.virtual_bytes));
  out.gauge("process_open_fds", {}, number(p.open_fds));
  out.gauge("process_max_fds", {}, number(p.max_fds));
  out.gauge("process_threads", {}, number(p.threads));
}

void add_flow(Families& out, const Path& path, std::string_view flow, const FlowCounters& c) {
  const Families::Values values = {path.uplink, path.reflector, flow};
  out.counter("uplink_udp_probes_sent_total", values, number(c.sent));
  out.counter("uplink_udp_probes_delivered_total", values, number(c.delivered));
  out.counter("uplink_udp_replies_received_total", values, number(c.replies));
  out.counter("uplink_udp_forward_lost_total", values, number(c.forward_lost));
  out.counter("uplink_udp_return_lost_total", values, number(c.return_lost));
  out.counter("uplink_udp_unattributed_lost_total", values, number(c.unattributed_lost));
}

void add_lifetime(Families& out, const Path& path, std::string_view pattern, const MappingLifetime& l) {
  for (const auto& [hold, n] : l.holds) {
    out.counter("uplink_udp_hold_probes_total", {path.uplink, path.reflector, pattern, hold},
                number(n.probes));
    out.counter("uplink_udp_hold_replies_total", {path.uplink, path.reflector, pattern, hold},
                number(n.replies));
  }
  if (!l.lower) return;
  out.gauge("uplink_udp_mapping_lifetime_seconds", {path.uplink, path.reflector, pattern, "lower"}, *l.lower);
  out.gauge("uplink_udp_mapping_lifetime_seconds", {path.uplink, path.reflector, pattern, "upper"},
            l.upper.value_or(std::numeric_limits<double>::infinity()));
  out.flag("uplink_udp_mapping_lifetime_is_own", {path.uplink, path.reflector, pattern}, l.is_own);
}

void add_path(Families& out, const Path& path) {
  const std::string& u = path.uplink;
  const std::string& r = path.reflector;
  out.state_set("uplink_path_verdict", {u, r}, verdict_names(), verdict::name(path.conclusion.verdict));
  add_flow(out, path, "steady", path.steady);
  add_flow(out, path, "fresh", path.fresh);
  out.histogram("uplink_udp_rtt_seconds", {u, r}, path.rtt);
  out.counter("uplink_udp_mapped_endpoint_changes_total", {u, r, "address"},
              number(path.mapped_address_changes));
  out.counter("uplink_udp_mapped_endpoint_changes_total", {u, r, "port"}, number(path.mapped_port_changes));
  for (const auto& [cause, n] : path.port_changes_by_cause)
    out.counter("uplink_udp_mapped_port_changes_total", {u, r, cause}, number(n));
  for (const auto& [pattern, lifetime] : path.lifetimes) add_lifetime(out, path, pattern, lifetime);
  for (const auto& [type, n] : path.icmp_errors)
    out.counter("uplink_udp_icmp_errors_total", {u, r, type}, number(n));
  for (const auto& [why, n] : path.packets_refused) {
    out.counter("uplink_udp_packets_refused_total", {u, r, why}, number(n));
  }
  out.gauge("uplink_udp_last_reply_timestamp_seconds", {u, r}, path.last_reply);
  out.counter("uplink_tcp_connects_total", {u, r}, number(path.tcp_connects));
  out.counter("uplink_tcp_connect_failures_total", {u, r}, number(path.tcp_connect_failures));
  out.histogram("uplink_tcp_connect_seconds", {u, r}, path.tcp_connect);
}

void add_uplink(Families& out, const Uplink& uplink) {
  const std::string& u = uplink.name;
  out.info("uplink_info", {u, uplink.interface, uplink.gateway}, uplink.labels);
  out.flag("uplink_link_up", {u}, uplink.link_up);
  out.counter("uplink_link_changes_total", {u}, number(uplink.link_changes));
  if (!uplink.address_kind.empty()) out.gauge("uplink_address_info", {u, uplink.address_kind}, 1);
  out.counter("uplink_address_changes_total", {u}, number(uplink.address_changes));
  out.flag("uplink_default_route", {u}, uplink.default_route);
  for (const auto& [table, metric] : uplink.default_route_metrics)
    out.gauge("uplink_default_route_metric", {u, table}, number(metric));
  out.flag("uplink_gateway_reachable", {u}, uplink.gateway_reachable);
  for (const auto& [check, ok] : uplink.preflight) out.flag("uplink_preflight_ok", {u, check}, ok);
  out.gauge("uplink_nat_info", {u, uplink.nat.mapping, uplink.nat.filtering, uplink.nat.carrier_grade}, 1);
  out.state_set("uplink_verdict", {u}, verdict_names(), verdict::name(uplink.conclusion.verdict));
  out.counter("uplink_verdict_changes_total", {u}, number(uplink.verdict_changes));
  out.gauge("uplink_verdict_last_change_timestamp_seconds", {u}, uplink.last_change);
  out.state_set("uplink_fault_scope", {u}, kScopes, uplink.scope);
  for (const auto& path : uplink.paths) add_path(out, *path);
}

void add_tunnel(Families& out, const Tunnel& tunnel) {
  const std::string& t = tunnel.name;
  for (const auto& [source, up] : tunnel.sources) out.flag("openvpn_source_up", {t, source}, up);
  for (const auto& [key, n] : tunnel.source_errors) {
    out.counter("openvpn_source_errors_total", {t, key.first, key.second}, number(n));
  }
  out.state_set("openvpn_state", {t}, kTunnelStates, tunnel.state);
  out.state_set("openvpn_diagnosis", {t}, kDiagnoses, tunnel.diagnosis);
  for (const auto& [key, n] : tunnel.reconnects) {
    out.counter("openvpn_reconnects_total", {t, key.first, key.second}, number(n));
  }
  out.counter("openvpn_handshakes_started_total", {t}, number(tunnel.handshakes_started));
  out.counter("openvpn_handshakes_completed_total", {t}, number(tunnel.handshakes_completed));
  out.counter("openvpn_handshakes_failed_total", {t}, number(tunnel.handshakes_failed));
  out.counter("openvpn_soft_resets_total", {t}, number(tunnel.soft_resets));
  out.counter("openvpn_endpoint_changes_total", {t}, number(tunnel.endpoint_changes));
  out.histogram("openvpn_session_duration_seconds", {t}, tunnel.session_duration);
  out.gauge("openvpn_last_connected_timestamp_seconds", {t}, tunnel.last_connected);
  out.gauge("openvpn_last_received_timestamp_seconds", {t}, tunnel.last_received);
  if (tunnel.received_bytes) out.counter("openvpn_received_bytes_total", {t}, number(*tunnel.received_bytes));
  if (tunnel.sent_bytes) out.counter("openvpn_sent_bytes_total", {t}, number(*tunnel.sent_bytes));
  out.gauge("openvpn_keepalive_ping_seconds", {t}, tunnel.keepalive_ping);
  out.gauge("openvpn_keepalive_restart_seconds", {t}, tunnel.keepalive_restart);
  if (tunnel.connected_clients)
    out.gauge("openvpn_server_connected_clients", {t}, number(*tunnel.connected_clients));
  if (tunnel.unauthenticated_clients)
    out.gauge("openvpn_server_unauthenticated_clients", {t}, number(*tunnel.unauthenticated_clients));
  if (tunnel.routes) {
    out.gauge("uplink_tunnel_routes", {t}, number(*tunnel.routes));
    out.flag("uplink_tunnel_routes_blackholed", {t}, !tunnel.routes_fault.empty());
  }
  if (!tunnel.clients) return;
  for (const TunnelClient& c : *tunnel.clients) {
    out.counter("openvpn_server_client_arrivals_total", {t, c.common_name}, number(c.arrivals));
    out.counter("openvpn_server_client_endpoint_changes_total", {t, c.common_name},
                number(c.endpoint_changes));
    if (!c.traffic) continue;
    out.gauge("openvpn_server_client_sessions", {t, c.common_name}, number(c.traffic->sessions));
    out.counter("openvpn_server_client_received_bytes_total", {t, c.common_name},
                number(c.traffic->received));
    out.counter("openvpn_server_client_sent_bytes_total", {t, c.common_name}, number(c.traffic->sent));
  }
}

void add_route(Families& out, const Route& route) {
  out.flag("uplink_route_match", {route.destination, route.expected}, route.match);
  if (!route.interface.empty()) {
    out.info("uplink_route_info", {route.destination, route.uplink, route.interface},
             {{"gateway", route.gateway}, {"table", route.table}});
  }
  out.counter("uplink_route_changes_total", {route.destination}, number(route.changes));
}

void add_optional_counter(Families& out, CounterId id, const std::optional<std::uint64_t>& value) {
  if (value) out.counter(id, {}, number(*value));
}

void add_conntrack(Families& out, const Conntrack& c) {
  out.gauge("uplink_conntrack_entries", {}, number(c.entries));
  out.gauge("uplink_conntrack_entries_limit", {}, number(c.limit));
  out.gauge("uplink_conntrack_udp_timeout_seconds", {"unreplied"}, c.udp_timeout);
  out.gauge("uplink_conntrack_udp_timeout_seconds", {"stream"}, c.udp_stream_timeout);
  add_optional_counter(out, "uplink_conntrack_early_drops_total", c.early_drops);
  add_optional_counter(out, "uplink_conntrack_insert_failures_total", c.insert_failures);
  add_optional_counter(out, "uplink_conntrack_drops_total", c.drops);
  if (!c.flows.empty()) out.counter("uplink_conntrack_events_lost_total", {}, number(c.events_lost));
  for (const auto& [uplink, flows] : c.flows) {
    out.counter("uplink_conntrack_udp_flows_total", {uplink}, number(flows.begun));
    out.counter("uplink_conntrack_udp_unreplied_flows_total", {uplink}, number(flows.unreplied));
    out.counter("uplink_conntrack_udp_unfollowed_flows_total", {uplink}, number(flows.unfollowed));
  }
}

}  // namespace

std::vector<prometheus::MetricFamily> render(const Snapshot& s) {
  Families out;
  out.gauge("uplink_exporter_build_info", {s.build.version, s.build.revision, s.build.compiler}, 1);
  for (const auto& c : s.collectors) {
    out.flag("uplink_exporter_collector_up", {c.name}, c.up);
    out.flag("uplink_exporter_collector_optional", {c.name}, c.optional);
  }
  out.flag("uplink_exporter_config_last_reload_successful", {}, s.config_reload_ok);
  out.gauge("uplink_exporter_config_last_reload_success_timestamp_seconds", {}, s.config_reload_time);
  add_process(out, s.process);
  for (const auto& uplink : s.uplinks) add_uplink(out, *uplink);
  for (const auto& [reflector, up] : s.reflectors_up) out.flag("uplink_reflector_up", {reflector}, up);
  for (const auto& tunnel : s.tunnels) add_tunnel(out, *tunnel);
  for (const auto& route : s.routes) add_route(out, route);
  out.counter("uplink_netlink_overruns_total", {}, number(s.netlink_overruns));
  if (s.conntrack) add_conntrack(out, *s.conntrack);
  for (const auto& [url, posts] : s.alertmanagers) {
    out.counter("uplink_exporter_alert_posts_total", {url}, number(posts.accepted));
    out.counter("uplink_exporter_alert_post_failures_total", {url}, number(posts.failed));
  }
  if (!s.alertmanagers.empty())
    out.counter("uplink_exporter_alerts_refused_total", {}, number(s.alerts_refused));
  return out.take();
}

std::vector<prometheus::MetricFamily> render(const ReflectorSnapshot& s) {
  Families out;
  out.gauge("uplink_reflector_build_info", {s.build.version, s.build.revision, s.build.compiler}, 1);
  out.flag("uplink_reflector_config_last_reload_successful", {}, s.config_reload_ok);
  out.gauge("uplink_reflector_config_last_reload_success_timestamp_seconds", {}, s.config_reload_time);
  add_process(out, s.process);
  for (const auto& [outcome, n] : s.packets)
    out.counter("uplink_reflector_packets_total", {outcome}, number(n));
  for (const auto& [outcome, n] : s.queries)
    out.counter("uplink_reflector_queries_total", {outcome}, number(n));
  for (const auto& [outcome, n] : s.holds) out.counter("uplink_reflector_holds_total", {outcome}, number(n));
  out.gauge("uplink_reflector_holds_pending", {}, number(s.holding));
  out.gauge("uplink_reflector_holds_limit", {}, number(s.holding_limit));
  out.gauge("uplink_reflector_sessions", {}, number(s.sessions));
  out.gauge("uplink_reflector_sessions_limit", {}, number(s.sessions_limit));
  out.counter("uplink_reflector_sessions_started_total", {}, number(s.sessions_started));
  out.counter("uplink_reflector_batches_total", {}, number(s.batches));
  out.counter("uplink_reflector_kernel_drops_total", {}, number(s.kernel_drops));
  out.counter("uplink_reflector_received_bytes_total", {}, number(s.received_bytes));
  out.counter("uplink_reflector_sent_bytes_total", {}, number(s.sent_bytes));
  return out.take();
}

}  // namespace ue::metrics
