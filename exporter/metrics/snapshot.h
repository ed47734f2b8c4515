#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/process_stats.h"
#include "metrics/past.h"
#include "verdict/evidence.h"

/// What the agent knows at one moment, immutable once published. Web threads render from it and nothing else.
/// Its rooms are shared pointers of their own, so that what did not change is not copied. Times are Unix
/// seconds; what has not been measured is absent.
namespace ue::metrics {

struct FlowCounters {  // every one only grows
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t replies = 0;
  std::uint64_t forward_lost = 0;
  std::uint64_t return_lost = 0;
  std::uint64_t unattributed_lost = 0;
};

/// Buckets as Prometheus has them, but not cumulative: counts[i] fell into (bounds[i-1], bounds[i]], the last
/// is +Inf.
struct Histogram {
  std::vector<double> bounds;
  std::vector<std::uint64_t> counts;
  double sum = 0;
};

/// Probes of one path that were settled in the last minute or two, by what became of them; for the page only,
/// since dashboards take their ratios from the counters.
struct Recent {
  std::uint64_t answered = 0;
  std::uint64_t forward_lost = 0;
  std::uint64_t return_lost = 0;
  std::uint64_t unattributed = 0;
};

/// How long the NAT remembers a flow after traffic of one pattern, in seconds of silence.
struct MappingLifetime {
  struct Count {
    std::uint64_t probes = 0;
    std::uint64_t replies = 0;
  };
  std::map<std::string, Count> holds;  ///< by hold: "5"
  std::optional<double> lower;         ///< longest hold that came back; absent while nothing is known
  std::optional<double> upper;         ///< shortest that did not; absent where none failed
  std::optional<bool> is_own;  ///< the upper one is this gateway's own tracker's; absent where not known
};

struct Path {  // one uplink and one reflector
  std::string uplink;
  std::string reflector;
  verdict::Conclusion conclusion;
  FlowCounters steady;
  FlowCounters fresh;
  Histogram rtt;
  Histogram tcp_connect;
  std::uint64_t tcp_connects = 0;
  std::uint64_t tcp_connect_failures = 0;
  std::uint64_t mapped_address_changes = 0;
  std::uint64_t mapped_port_changes = 0;
  std::map<std::string, std::uint64_t> port_changes_by_cause;  ///< idle, active, every_packet
  std::string mapped_endpoint;  ///< as the reflector sees it; for the page, never a label
  std::map<std::string, std::uint64_t> icmp_errors;  ///< by type, e.g. "port-unreachable"
  std::map<std::string, std::uint64_t>
      packets_refused;                               ///< malformed, short, foreign ... datagrams, by reason
  std::map<std::string, MappingLifetime> lifetimes;  ///< by pattern
  std::optional<double> last_reply;
  std::optional<Recent> recent;        ///< absent while nothing has settled
  std::optional<double> smoothed_rtt;  ///< seconds
};

/// How the NAT of an uplink behaves; "unknown" where nothing was there to see it with.
struct Nat {
  std::string mapping = "unknown";        ///< probe::Mapping by name
  std::string filtering = "unknown";      ///< probe::Filtering by name
  std::string carrier_grade = "unknown";  ///< yes, none (nobody translates), unknown
};

struct Uplink {
  std::string name;
  std::string interface;
  std::string gateway;
  std::map<std::string, std::string> labels;
  std::optional<bool> link_up;
  std::uint64_t link_changes = 0;
  std::string address_kind;  ///< private, shared, link_local, public; empty: no address
  std::uint64_t address_changes = 0;
  std::optional<bool> default_route;
  std::map<std::string, std::uint32_t> default_route_metrics;  ///< of the best default route, by table
  std::optional<bool> gateway_reachable;
  std::map<std::string, bool> preflight;  ///< check -> ok
  Nat nat;
  verdict::Conclusion conclusion;
  std::optional<double> last_change;  ///< of the verdict
  std::uint64_t verdict_changes = 0;
  std::string scope = "unknown";  ///< gateway, home, carrier, beyond, unknown
  std::vector<std::shared_ptr<const Path>> paths;
};

struct TunnelClient {  // one client of an OpenVPN server, or all the others together
  struct Traffic {
    std::uint64_t sessions = 0;  ///< connected now
    std::uint64_t received = 0;  ///< octets, from the client
    std::uint64_t sent = 0;
  };
  std::string common_name;
  std::uint64_t arrivals = 0;
  std::uint64_t endpoint_changes = 0;
  std::optional<Traffic> traffic;  ///< absent while no source tells it
};

struct Tunnel {  // one OpenVPN instance
  std::string name;
  std::map<std::string, bool> sources;  ///< log, journal, status, management -> up
  std::map<std::pair<std::string, std::string>, std::uint64_t> source_errors;  ///< (source, reason)
  std::string state = "unknown";      ///< connected, connecting, wait, auth, reconnecting, exiting, unknown
  std::string diagnosis = "unknown";  ///< healthy, one_way_loop, no_return and so on
  std::map<std::pair<std::string, std::string>, std::uint64_t> reconnects;  ///< (reason, from)
  std::uint64_t handshakes_started = 0;
  std::uint64_t handshakes_completed = 0;
  std::uint64_t handshakes_failed = 0;
  std::uint64_t soft_resets = 0;
  std::uint64_t endpoint_changes = 0;
  Histogram session_duration;
  std::optional<double> last_connected;
  std::optional<double> keepalive_ping;
  std::optional<double> keepalive_restart;
  std::optional<double> last_received;
  std::optional<std::uint64_t> received_bytes;
  std::optional<std::uint64_t> sent_bytes;
  std::optional<std::uint64_t> unauthenticated_clients;      ///< of a server
  std::optional<std::uint64_t> connected_clients;            ///< of a server
  std::shared_ptr<const std::vector<TunnelClient>> clients;  ///< null: none are shown
  std::optional<std::uint64_t> routes;  ///< into its device; absent while that is not known
  std::string routes_fault;             ///< a sentence: they lead into a black hole; empty: they do not
};

struct Route {  // one destination of `routes:`
  std::string destination;
  std::string expected;       ///< the uplink it must leave through
  std::optional<bool> match;  ///< absent while the destination's name has no address
  std::string uplink;         ///< through which it leaves; empty: none that is configured, or several
  std::string interface;      ///< empty: not routed
  std::string gateway;
  std::string table;
  std::string reason;  ///< a sentence
  std::uint64_t changes = 0;
};

struct Collector {
  std::string name;
  bool up = false;
  std::string remedy;     ///< why it is off and how to turn it on
  bool optional = false;  ///< it lacks only what the agent does without: being off is no fault
};

/// The kernel's connection tracker: its table, and what it tells of UDP flows.
struct Conntrack {
  struct Flows {
    std::uint64_t begun = 0;
    std::uint64_t unreplied = 0;
    std::uint64_t unfollowed = 0;
  };
  std::uint64_t entries = 0;
  std::uint64_t limit = 0;
  double udp_timeout = 0;  ///< seconds
  double udp_stream_timeout = 0;
  std::optional<std::uint64_t> early_drops;
  std::optional<std::uint64_t> insert_failures;
  std::optional<std::uint64_t> drops;
  std::map<std::string, Flows> flows;  ///< by uplink; empty while events are not watched
  std::uint64_t events_lost = 0;
};

/// One Alertmanager of direct mode.
struct AlertPosts {
  std::uint64_t accepted = 0;
  std::uint64_t failed = 0;
};

struct Build {
  std::string version;
  std::string revision;
  std::string compiler;
};

struct Snapshot {
  Build build;
  ProcessStats process;
  double published = 0;
  bool ready = false;  ///< the configuration is in force and the loop has turned
  bool config_reload_ok = true;
  double config_reload_time = 0;  ///< of the last success
  std::vector<std::shared_ptr<const Uplink>> uplinks;
  std::map<std::string, bool> reflectors_up;  ///< only those that something is known of
  std::vector<std::shared_ptr<const Tunnel>> tunnels;
  std::vector<Route> routes;
  std::vector<Collector> collectors;
  std::uint64_t netlink_overruns = 0;
  std::optional<Conntrack> conntrack;               ///< absent where this kernel tracks no connections
  std::map<std::string, AlertPosts> alertmanagers;  ///< by URL; empty unless direct mode is on
  std::shared_ptr<const Past> past;    ///< null: nothing is noted
  std::shared_ptr<const std::string> config;  ///< the configuration in force as YAML, without its secrets
  std::uint64_t alerts_refused = 0;                 ///< no room for them in the book of direct mode
};

/// What uplink_reflector publishes.
struct ReflectorSnapshot {
  Build build;
  ProcessStats process;
  double published = 0;
  std::map<std::string, std::uint64_t> packets;  ///< by outcome: reflected, suppressed, and each drop reason
  std::map<std::string, std::uint64_t> queries;  ///< by outcome: answered, and each refusal
  std::map<std::string, std::uint64_t> holds;    ///< by outcome: of requests for a reply later
  std::uint64_t holding = 0;
  std::uint64_t holding_limit = 0;
  std::uint64_t sessions = 0;
  std::uint64_t sessions_limit = 0;
  std::uint64_t sessions_started = 0;
  std::uint64_t batches = 0;
  std::uint64_t kernel_drops = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  bool config_reload_ok = true;
  double config_reload_time = 0;
  std::shared_ptr<const std::string> config;  ///< as Snapshot's
};

}  // namespace ue::metrics
