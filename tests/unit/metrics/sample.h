#pragma once
#include <memory>

#include "metrics/snapshot.h"

namespace ue::metrics {

/// A gateway with the seed's two uplinks: `mansion` has gone one-way, `five_g` is healthy. Every field is
/// set.
inline std::shared_ptr<Snapshot> sample_snapshot() {
  auto dead = std::make_shared<Path>();
  dead->uplink = "mansion";
  dead->reflector = "cloud";
  dead->conclusion = {verdict::Verdict::one_way, "probes arrive, replies die 4s after a flow begins"};
  dead->steady = {100, 98, 40, 2, 55, 3};
  dead->fresh = {50, 49, 20, 1, 28, 1};
  dead->rtt = {{0.005, 0.01, 0.3}, {3, 50, 6, 1}, 0.75};
  dead->tcp_connect = {{0.01, 0.1}, {0, 4, 0}, 0.12};
  dead->tcp_connects = 5;
  dead->tcp_connect_failures = 1;
  dead->mapped_address_changes = 1;
  dead->mapped_port_changes = 7;
  dead->port_changes_by_cause = {{"idle", 5}, {"active", 2}, {"every_packet", 0}};
  dead->mapped_endpoint = "198.51.100.7:41234";
  dead->icmp_errors = {{"port-unreachable", 2}, {"ttl-exceeded", 1}};
  dead->packets_refused = {{"foreign", 4}, {"short", 1}};
  dead->lifetimes["stream"] = {{{"5", {6, 6}}, {"10", {6, 1}}}, 5, 10, true};
  dead->lifetimes["solitary"] = {{{"120", {2, 2}}}, 120, {}, {}};
  dead->last_reply = 1760000100.25;
  dead->recent = Recent{5, 1, 53, 1};
  dead->smoothed_rtt = 0.0123;

  auto good = std::make_shared<Path>();
  good->uplink = "five_g";
  good->reflector = "cloud";
  good->conclusion = {verdict::Verdict::healthy, "both directions deliver"};
  good->steady = {100, 100, 100, 0, 0, 0};
  good->fresh = {50, 50, 50, 0, 0, 0};
  good->rtt = {{0.005, 0.01, 0.3}, {0, 0, 150, 0}, 4.5};
  good->tcp_connect = {{0.01, 0.1}, {0, 0, 0}, 0};
  good->last_reply = 1760000199.5;
  good->recent = Recent{60, 0, 0, 0};
  good->smoothed_rtt = 0.03;

  auto mansion = std::make_shared<Uplink>();
  mansion->name = "mansion";
  mansion->interface = "eth2";
  mansion->gateway = "203.0.113.1";
  mansion->labels = {{"carrier", "example-isp"}, {"asn", "64500"}};
  mansion->link_up = true;
  mansion->default_route = true;
  mansion->gateway_reachable = true;
  mansion->preflight = {{"route", true}, {"rp_filter", false}};
  mansion->nat = {"endpoint_independent", "address_and_port_dependent", "yes"};
  mansion->conclusion = {verdict::Verdict::one_way, "replies to cloud die 4s after a flow begins",
                         verdict::Scope::carrier};
  mansion->last_change = 1760000110;
  mansion->verdict_changes = 2;
  mansion->scope = "carrier";
  mansion->paths = {dead};

  auto five_g = std::make_shared<Uplink>();
  five_g->name = "five_g";
  five_g->interface = "eth1";
  five_g->gateway = "192.168.8.1";
  five_g->link_up = true;
  five_g->link_changes = 4;
  five_g->address_kind = "private";
  five_g->address_changes = 2;
  five_g->default_route = false;
  five_g->default_route_metrics = {{"77", 100}};
  five_g->conclusion = {verdict::Verdict::healthy, "both directions deliver"};
  five_g->last_change = 1760000010;
  five_g->verdict_changes = 1;
  five_g->paths = {good};

  auto tunnel = std::make_shared<Tunnel>();
  tunnel->name = "cloud";
  tunnel->sources = {{"log", true}, {"management", false}};
  tunnel->source_errors = {{{"management", "refused"}, 3}};
  tunnel->state = "reconnecting";
  tunnel->diagnosis = "one_way_loop";
  tunnel->reconnects = {{{"ping-restart", "connected"}, 12}, {{"tls-error", "wait"}, 1}};
  tunnel->handshakes_started = 14;
  tunnel->handshakes_completed = 13;
  tunnel->handshakes_failed = 1;
  tunnel->soft_resets = 2;
  tunnel->endpoint_changes = 12;
  tunnel->session_duration = {{10, 60, 3600}, {1, 11, 0, 1}, 90720};
  tunnel->last_connected = 1760000150;
  tunnel->keepalive_ping = 10;
  tunnel->keepalive_restart = 60;
  tunnel->last_received = 1760000160;
  tunnel->received_bytes = 123456;
  tunnel->sent_bytes = 654321;
  tunnel->connected_clients = 2;
  tunnel->routes = 3;
  tunnel->routes_fault = "3 routes lead into tun0";
  tunnel->unauthenticated_clients = 1;
  tunnel->clients = std::make_shared<std::vector<TunnelClient>>(std::vector<TunnelClient>{
      {"client-one", 7, 6, TunnelClient::Traffic{1, 1000, 2000}}, {"_others", 3, 0, std::nullopt}});

  auto s = std::make_shared<Snapshot>();
  s->build = {"0.1.0", "abc1234", "gcc-12.2.0"};
  s->process = {1.5, 1760000000, 12582912, 104857600, 20, 1024, 18};
  s->published = 1760000200;
  s->ready = true;
  s->config_reload_ok = true;
  s->config_reload_time = 1760000001;
  s->uplinks = {mansion, five_g};
  s->reflectors_up = {{"cloud", true}};
  s->tunnels = {tunnel};
  s->routes = {
      {"111.222.33.44", "five_g", false, "mansion", "eth2", "123.45.0.1", "main", "the main table", 3},
      {"vpn.example.net", "five_g", std::nullopt, "", "", "", "", "no address yet", 0}};
  s->collectors = {{"netlink", true, ""},
                   {"conntrack", false, "grant CAP_NET_ADMIN", true},
                   {"openvpn_management", false, "connection refused: start OpenVPN with --management"}};
  s->netlink_overruns = 1;
  s->alertmanagers["http://192.0.2.10:9093"] = {5, 1};
  s->conntrack =
      Conntrack{812, 65536, 30, 120, 4, 5, 6, {{"mansion", {90, 70, 2}}, {"five_g", {40, 0, 0}}}, 9};
  auto past = std::make_shared<Past>();
  past->began = 1760000000;
  auto& was = past->paths[{"mansion", "cloud"}];
  was.minutes = {5, 1760000200, {{10, 0, 0, 0, 0, 0.012f}, {5, 1, 3, 1, 0, 0.013f}, {1, 0, 9, 0, 4, 0}}};
  was.hours = {120, 1760000160, {{200, 0, 0, 0, 0, 0.012f}}};
  was.holds = {{{"stream", "5"}, {3, 3}}, {{"stream", "10"}, {3, 0}}};
  past->changes["mansion"] = {{1760000000, {verdict::Verdict::healthy, "all is well"}},
                              {1760000110, mansion->conclusion}};
  past->changes["five_g"] = {{1760000010, five_g->conclusion}};
  s->past = past;
  s->config = std::make_shared<const std::string>("uplinks: []\n");
  return s;
}

inline std::shared_ptr<ReflectorSnapshot> sample_reflector_snapshot() {
  auto s = std::make_shared<ReflectorSnapshot>();
  s->build = {"0.1.0", "abc1234", "gcc-12.2.0"};
  s->process = {0.5, 1760000000, 8388608, 52428800, 9, 1024, 4};
  s->published = 1760000200;
  s->packets = {{"reflected", 150}, {"suppressed", 3}, {"bad_hmac", 2}};
  s->queries = {{"answered", 10}, {"unauthenticated", 1}};
  s->holds = {{"held", 9}, {"sent", 7}, {"not_validated", 1}};
  s->holding = 2;
  s->holding_limit = 100000;
  s->sessions = 12;
  s->sessions_limit = 100000;
  s->sessions_started = 40;
  s->batches = 90;
  s->kernel_drops = 3;
  s->received_bytes = 16800;
  s->sent_bytes = 16464;
  s->config_reload_time = 1760000001;
  s->config = std::make_shared<const std::string>("listen: []\n");
  return s;
}

}  // namespace ue::metrics
