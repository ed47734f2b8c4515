#pragma once
#include <prometheus/metric_type.h>

#include <array>
#include <cstddef>
#include <string_view>

/// The one table of every metric that the programs serve: name, type, help and label names. Renderers can
/// only name what is here (see MetricId), so a new metric starts with a line in this file.
namespace ue::metrics {

using prometheus::MetricType;

struct Metric {
  std::string_view name;
  MetricType type;
  std::array<std::string_view, 4> labels;  ///< in the order of their values; unused ones are empty
  std::string_view help;

  constexpr std::size_t label_count() const {
    std::size_t n = 0;
    while (n < labels.size() && !labels[n].empty()) ++n;
    return n;
  }
};

inline constexpr auto kCounter = MetricType::Counter;
inline constexpr auto kGauge = MetricType::Gauge;
inline constexpr auto kHistogram = MetricType::Histogram;

// clang-format off
inline constexpr auto kCatalogue = std::to_array<Metric>({
    // --- the agent itself
    {"uplink_exporter_build_info", kGauge, {"version", "revision", "compiler"}, "Version of the agent; always 1."},
    {"uplink_exporter_collector_up", kGauge, {"collector"}, "Whether this source of data works (1) or is off (0); the status page names the remedy."},
    {"uplink_exporter_collector_optional", kGauge, {"collector"}, "Whether this source lacks only a privilege or a part of the kernel that the agent does without (1): that it is off is no reason for an alarm."},
    {"uplink_exporter_config_last_reload_successful", kGauge, {}, "Whether the newest attempt to load the configuration succeeded; on failure the older one stays in force."},
    {"uplink_exporter_config_last_reload_success_timestamp_seconds", kGauge, {}, "When the configuration in force was loaded, in Unix time."},

    {"uplink_exporter_alert_posts_total", kCounter, {"alertmanager"}, "Posts of alerts that an Alertmanager of direct mode accepted."},
    {"uplink_exporter_alert_post_failures_total", kCounter, {"alertmanager"}, "Posts of alerts that failed; what they told is told again."},
    {"uplink_exporter_alerts_refused_total", kCounter, {}, "Alerts of direct mode that found no room because too many were active."},

    // --- every program
    {"process_cpu_seconds_total", kCounter, {}, "User and system CPU time spent, in seconds."},
    {"process_start_time_seconds", kGauge, {}, "Start of the process, in Unix time."},
    {"process_resident_memory_bytes", kGauge, {}, "Resident memory."},
    {"process_virtual_memory_bytes", kGauge, {}, "Virtual memory."},
    {"process_open_fds", kGauge, {}, "Open file descriptors."},
    {"process_max_fds", kGauge, {}, "Limit of open file descriptors."},
    {"process_threads", kGauge, {}, "Threads of the process."},

    // --- uplinks
    {"uplink_info", kGauge, {"uplink", "interface", "gateway"}, "What an uplink is, with the labels that its configuration adds; always 1."},
    {"uplink_link_up", kGauge, {"uplink"}, "Whether the interface is up, has a carrier and an address."},
    {"uplink_link_changes_total", kCounter, {"uplink"}, "Times that the interface came or went: its carrier, its switch, the interface itself. A flap counts twice."},
    {"uplink_address_info", kGauge, {"uplink", "kind"}, "Where the uplink's own address is from: private (RFC 1918, RFC 4193), shared (100.64.0.0/10 of a carrier's NAT, RFC 6598), link_local or public; always 1, absent without an address."},
    {"uplink_address_changes_total", kCounter, {"uplink"}, "Times that the uplink was given another address than before."},
    {"uplink_default_route", kGauge, {"uplink"}, "Whether a default route leads through this uplink."},
    {"uplink_default_route_metric", kGauge, {"uplink", "table"}, "Metric of the uplink's best default route in each table; of one table's the lowest is in force. Absent where it has none."},
    {"uplink_gateway_reachable", kGauge, {"uplink"}, "Whether the next hop answers on the link (neighbour state)."},
    {"uplink_preflight_ok", kGauge, {"uplink", "check"}, "Whether this gateway itself lets probes out and replies in; 0 means that no carrier is to blame."},
    {"uplink_verdict", kGauge, {"uplink", "verdict"}, "What is concluded about an uplink: exactly one verdict is 1."},
    {"uplink_path_verdict", kGauge, {"uplink", "reflector", "verdict"}, "What is concluded about one path, an uplink towards a reflector: exactly one verdict is 1."},
    {"uplink_verdict_changes_total", kCounter, {"uplink"}, "Changes of the uplink's verdict."},
    {"uplink_verdict_last_change_timestamp_seconds", kGauge, {"uplink"}, "When the uplink's verdict last changed, in Unix time."},
    {"uplink_fault_scope", kGauge, {"uplink", "scope"}, "How far away the fault is: exactly one scope is 1."},

    {"uplink_nat_info", kGauge, {"uplink", "mapping", "filtering", "carrier_grade"}, "How the NAT behaves, in the words of RFC 4787; always 1. mapping: none (nobody translates), endpoint_independent, address_dependent, address_and_port_dependent, destination_dependent (one of the last two), per_packet. filtering, the strictest between here and the server, this machine's own firewall included: endpoint_independent, address_dependent, address_and_port_dependent. carrier_grade: yes (a NAT that is not at home), none. Each unknown where nothing could tell; filtering needs a STUN server of RFC 5780."},

    // --- probes; flow is steady (one source port for hours, as a tunnel has) or fresh (new ports)
    {"uplink_udp_probes_sent_total", kCounter, {"uplink", "reflector", "flow"}, "UDP probes sent."},
    {"uplink_udp_probes_delivered_total", kCounter, {"uplink", "reflector", "flow"}, "UDP probes that reached the reflector: it replied, or said so over TCP."},
    {"uplink_udp_replies_received_total", kCounter, {"uplink", "reflector", "flow"}, "UDP probes that were answered in time."},
    {"uplink_udp_forward_lost_total", kCounter, {"uplink", "reflector", "flow"}, "UDP probes that never reached the reflector."},
    {"uplink_udp_return_lost_total", kCounter, {"uplink", "reflector", "flow"}, "UDP probes that reached the reflector and whose reply was lost on the way back."},
    {"uplink_udp_unattributed_lost_total", kCounter, {"uplink", "reflector", "flow"}, "UDP probes without a reply where nothing could tell which way was lost."},
    {"uplink_udp_rtt_seconds", kHistogram, {"uplink", "reflector"}, "Round-trip time of answered UDP probes, without the reflector's own delay."},
    {"uplink_udp_hold_probes_total", kCounter, {"uplink", "reflector", "pattern", "hold"}, "Fresh flows whose reply was held back for so many seconds."},
    {"uplink_udp_hold_replies_total", kCounter, {"uplink", "reflector", "pattern", "hold"}, "Fresh flows whose reply came back after having been held for so many seconds."},
    {"uplink_udp_mapping_lifetime_seconds", kGauge, {"uplink", "reflector", "pattern", "bound"}, "Silence after which the NAT forgets a flow: the longest that was survived (lower) and the shortest that was not (upper, +Inf where none)."},
    {"uplink_udp_mapping_lifetime_is_own", kGauge, {"uplink", "reflector", "pattern"}, "Whether the upper bound is the time-out of this gateway's own connection tracker (1) and says nothing about a carrier's NAT; absent without an upper bound."},
    {"uplink_udp_mapped_endpoint_changes_total", kCounter, {"uplink", "reflector", "part"}, "Changes of the address or port by which the reflector sees the steady flow: the NAT re-bound it."},
    {"uplink_udp_mapped_port_changes_total", kCounter, {"uplink", "reflector", "cause"}, "Changes of the port by which the far end sees one flow, by what came before: idle (the flow had been silent for 3 s or more), active (it had not: the NAT moved a flow in use), every_packet (packets that follow each other are all seen from different ports)."},
    {"uplink_udp_icmp_errors_total", kCounter, {"uplink", "reflector", "type"}, "ICMP errors received for UDP probes."},
    {"uplink_udp_packets_refused_total", kCounter, {"uplink", "reflector", "reason"}, "UDP datagrams received on probe sockets and not taken as a reply."},
    {"uplink_udp_last_reply_timestamp_seconds", kGauge, {"uplink", "reflector"}, "When the newest reply arrived, in Unix time."},
    {"uplink_tcp_connects_total", kCounter, {"uplink", "reflector"}, "TCP connections to the reflector attempted through this uplink."},
    {"uplink_tcp_connect_failures_total", kCounter, {"uplink", "reflector"}, "TCP connections to the reflector that failed."},
    {"uplink_tcp_connect_seconds", kHistogram, {"uplink", "reflector"}, "Time that TCP connections to the reflector took to be established."},
    {"uplink_reflector_up", kGauge, {"reflector"}, "Whether a reflector answers anything at all, through any uplink."},

    // --- OpenVPN
    {"openvpn_source_up", kGauge, {"tunnel", "source"}, "Whether this source of a tunnel's events can be read."},
    {"openvpn_source_errors_total", kCounter, {"tunnel", "source", "reason"}, "Failures to read a source of a tunnel's events."},
    {"openvpn_state", kGauge, {"tunnel", "state"}, "State of a tunnel: exactly one is 1."},
    {"openvpn_diagnosis", kGauge, {"tunnel", "diagnosis"}, "What a tunnel's sources amount to: exactly one is 1, unknown where they support nothing else."},
    {"openvpn_reconnects_total", kCounter, {"tunnel", "reason", "from"}, "Reconnects of a tunnel by the reason it logged and the state it left."},
    {"openvpn_handshakes_started_total", kCounter, {"tunnel"}, "TLS handshakes begun."},
    {"openvpn_handshakes_completed_total", kCounter, {"tunnel"}, "TLS handshakes completed."},
    {"openvpn_handshakes_failed_total", kCounter, {"tunnel"}, "TLS handshakes that failed or timed out."},
    {"openvpn_soft_resets_total", kCounter, {"tunnel"}, "Renegotiations of keys within a session."},
    {"openvpn_endpoint_changes_total", kCounter, {"tunnel"}, "Changes of the peer's address or port."},
    {"openvpn_session_duration_seconds", kHistogram, {"tunnel"}, "How long ended sessions had been connected."},
    {"openvpn_last_connected_timestamp_seconds", kGauge, {"tunnel"}, "When the tunnel last became connected, in Unix time."},
    {"openvpn_last_received_timestamp_seconds", kGauge, {"tunnel"}, "When a client last received anything from its server, in Unix time."},
    {"openvpn_received_bytes_total", kCounter, {"tunnel"}, "Octets received through the tunnel's transport, over all sessions; of a server from all clients."},
    {"openvpn_sent_bytes_total", kCounter, {"tunnel"}, "Octets sent through the tunnel's transport, over all sessions; of a server to all clients."},
    {"openvpn_keepalive_ping_seconds", kGauge, {"tunnel"}, "Silence after which the tunnel sends a ping."},
    {"openvpn_keepalive_restart_seconds", kGauge, {"tunnel"}, "Silence of the peer after which the tunnel restarts."},
    {"openvpn_server_connected_clients", kGauge, {"tunnel"}, "Sessions of authenticated clients on a server now."},
    {"openvpn_server_unauthenticated_clients", kGauge, {"tunnel"}, "Sessions on a server now whose handshake is not done."},
    {"openvpn_server_client_sessions", kGauge, {"tunnel", "common_name"}, "Sessions of one client now; more than one shares its name."},
    {"openvpn_server_client_arrivals_total", kCounter, {"tunnel", "common_name"}, "Sessions that a client began."},
    {"openvpn_server_client_endpoint_changes_total", kCounter, {"tunnel", "common_name"}, "Changes of a client's address or port."},
    {"openvpn_server_client_received_bytes_total", kCounter, {"tunnel", "common_name"}, "Octets received from a client, over all its sessions."},
    {"openvpn_server_client_sent_bytes_total", kCounter, {"tunnel", "common_name"}, "Octets sent to a client, over all its sessions."},

    // --- routes
    {"uplink_route_match", kGauge, {"destination", "uplink"}, "Whether the kernel sends a destination of `routes:` through the uplink that it must leave through."},
    {"uplink_route_info", kGauge, {"destination", "uplink", "interface"}, "The way that a destination really takes, with gateway and table; always 1, absent while it is not routed."},
    {"uplink_route_changes_total", kCounter, {"destination"}, "Changes of the way that a destination takes."},
    {"uplink_tunnel_routes", kGauge, {"tunnel"}, "Routes of this machine into the device of an OpenVPN tunnel, but for those that the kernel adds by itself; absent while the device is not known."},
    {"uplink_tunnel_routes_blackholed", kGauge, {"tunnel"}, "Whether such routes stand although the tunnel is not connected: what takes them is lost."},
    {"uplink_netlink_overruns_total", kCounter, {}, "Times that the kernel dropped routing events because the agent was too slow; it then reads everything anew."},

    // --- the connection tracker of this machine
    {"uplink_conntrack_entries", kGauge, {}, "Flows in the connection tracker's table."},
    {"uplink_conntrack_entries_limit", kGauge, {}, "Flows that the table may hold (nf_conntrack_max); beyond it packets of new ones are dropped."},
    {"uplink_conntrack_udp_timeout_seconds", kGauge, {"kind"}, "Silence after which this machine itself forgets a UDP flow that is unreplied, or a stream that goes both ways."},
    {"uplink_conntrack_early_drops_total", kCounter, {}, "Flows thrown out of the table to make room for new ones."},
    {"uplink_conntrack_insert_failures_total", kCounter, {}, "Flows that could not be entered in the table."},
    {"uplink_conntrack_drops_total", kCounter, {}, "Packets dropped because the table had no room for their flow."},
    {"uplink_conntrack_events_lost_total", kCounter, {}, "Events that the kernel dropped because the agent was too slow; flows followed then are counted as unfollowed."},
    {"uplink_conntrack_udp_flows_total", kCounter, {"uplink"}, "UDP flows that left through an uplink, with those that stood when the watch began."},
    {"uplink_conntrack_udp_unreplied_flows_total", kCounter, {"uplink"}, "UDP flows of which no packet came back within the tracker's time-out."},
    {"uplink_conntrack_udp_unfollowed_flows_total", kCounter, {"uplink"}, "UDP flows whose fate was not seen: too many at once, or events were lost."},

    // --- the reflector
    {"uplink_reflector_build_info", kGauge, {"version", "revision", "compiler"}, "Version of the reflector; always 1."},
    {"uplink_reflector_config_last_reload_successful", kGauge, {}, "Whether the newest attempt to load the configuration succeeded; on failure the older one stays in force."},
    {"uplink_reflector_config_last_reload_success_timestamp_seconds", kGauge, {}, "When the configuration in force was loaded, in Unix time."},
    {"uplink_reflector_packets_total", kCounter, {"outcome"}, "UDP datagrams received, by what was done with them."},
    {"uplink_reflector_queries_total", kCounter, {"outcome"}, "Requests on the query channel, by what was answered."},
    {"uplink_reflector_holds_total", kCounter, {"outcome"}, "Requests for a reply later, by what became of them; what is not held is answered at once."},
    {"uplink_reflector_holds_pending", kGauge, {}, "Replies held back at the moment."},
    {"uplink_reflector_holds_limit", kGauge, {}, "Most replies that may be held back at once."},
    {"uplink_reflector_sessions", kGauge, {}, "Sessions held."},
    {"uplink_reflector_sessions_limit", kGauge, {}, "Sessions that may be held."},
    {"uplink_reflector_sessions_started_total", kCounter, {}, "Sessions begun."},
    {"uplink_reflector_batches_total", kCounter, {}, "Batches in which UDP datagrams were taken from the kernel, at most 64 in one."},
    {"uplink_reflector_kernel_drops_total", kCounter, {}, "UDP datagrams that the kernel dropped because a receive buffer was full."},
    {"uplink_reflector_received_bytes_total", kCounter, {}, "UDP payload received."},
    {"uplink_reflector_sent_bytes_total", kCounter, {}, "UDP payload sent."},
});
// clang-format on

/// A metric's place in the catalogue, found while compiling: a name that is not there, or is of another type,
/// does not compile.
template <MetricType kType>
class MetricId {
 public:
  consteval MetricId(const char* name) : index_(find(name)) {}  // NOLINT(google-explicit-constructor)
  constexpr std::size_t index() const { return index_; }

 private:
  static consteval std::size_t find(std::string_view name) {
    for (std::size_t i = 0; i < kCatalogue.size(); ++i) {
      if (kCatalogue[i].name == name && kCatalogue[i].type == kType) return i;
    }
    throw "no metric of this name and type in the catalogue";
  }
  std::size_t index_;
};
using CounterId = MetricId<kCounter>;
using GaugeId = MetricId<kGauge>;
using HistogramId = MetricId<kHistogram>;

/// Null where the catalogue has no such name; for tests and documentation.
const Metric* find_metric(std::string_view name);

/// [a-zA-Z_][a-zA-Z0-9_]*, not beginning with the "__" that Prometheus keeps to itself.
bool is_label_name(std::string_view name);

}  // namespace ue::metrics
