#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/nat_watch.h"
#include "agent/path.h"
#include "agent/path_evidence.h"
#include "agent/preflight_watch.h"
#include "agent/reflector_targets.h"
#include "agent/resolver.h"
#include "agent/witness.h"
#include "config/config.h"
#include "route/flow_share.h"
#include "route/tracker_fault.h"
#include "uplink/discovery.h"
#include "uplink/link_history.h"
#include "uplink/probe_route.h"
#include "verdict/uplink_verdict.h"

namespace ue::agent {

struct PathContext;

/// What only the sight of all uplinks can tell about one path.
struct Surroundings {
  bool silent_everywhere = false;  ///< this reflector, through every uplink
  std::string refusal;             ///< its own word, through any uplink; empty: none
  bool every_uplink_silent = false;
  std::optional<Nanos> keepalive;   ///< of the tunnels that this reflector speaks for; the longest of them
  bool answered_elsewhere = false;  ///< it answers UDP through another uplink
  std::optional<Hops> other_way;    ///< to it, through another uplink
  std::optional<probe::TrackerTimeouts> tracker;  ///< of this machine; absent: it tracks nothing
  std::vector<route::TrackerFault> tracker_faults;
  route::Bystanders bystanders;  ///< through the uplink that is judged
};

/// Everything about one uplink: its state, its paths to the reflectors, its witnesses, and the verdict over
/// them. Owned by the Agent, on the loop's thread.
class UplinkRunner {
 public:
  using DetourSource = std::function<std::vector<Detour>(const std::string& reflector)>;

  UplinkRunner(boost::asio::io_context& loop, config::Uplink uplink,
               const std::vector<ReflectorTarget>& reflectors, const config::Config& config, Mode mode,
               uplink::ProbeRoutes& routes, DetourSource detours);
  ~UplinkRunner();

  /// The kernel's tables changed: sockets are rebuilt where they must be.
  void update_link(const Now& now, const uplink::Inventory& inventory);
  void rebuild();
  /// Judges every path and the uplink. `around` is asked once for each reflector. Returns true on a change.
  bool judge(const Now& now, const std::function<Surroundings(const std::string& reflector)>& around);

  const config::Uplink& config() const { return uplink_; }
  const verdict::Conclusion& conclusion() const { return conclusion_; }
  const std::vector<std::shared_ptr<Path>>& paths() const { return paths_; }
  const uplink::UplinkState& state() const { return state_; }
  std::optional<Detour> way_to(const std::string& reflector) const;
  /// The path to this reflector has been silent, to UDP and TCP, since the returned moment.
  std::optional<Instant> silent_since(const Path& path, Instant now) const;
  /// It has a verdict, and nothing is under way that could tell more of it soon.
  bool settled(Instant now) const;
  bool has_witness() const { return !witnesses_.empty(); }

  /// Why the route that its probes need cannot be set; empty: it can, or none is needed.
  const std::string& route_fault() const { return route_fault_; }
  /// Where its probes go.
  void add_targets(std::set<Endpoint>& own) const;

  std::shared_ptr<metrics::Uplink> snapshot(const Now& now) const;

 private:
  struct Target {
    std::shared_ptr<Path> path;
    std::unique_ptr<Resolver> resolver;
    std::optional<Endpoint> endpoint;
  };

  uplink::Binding binding() const;
  void note_tracker(const Surroundings& around, PathContext& context);
  void bind_paths();
  void ensure_routes();
  void ask_witnesses(Instant now);
  std::string witness_proof(Instant since) const;
  std::optional<PathContext::Beside> tcp_beside(const Path& path, Instant now) const;
  bool link_up() const { return state_.present && state_.usable() && route_fault_.empty(); }
  std::string link_fault() const { return state_.fault.empty() ? route_fault_ : state_.fault; }

  boost::asio::io_context& loop_;
  config::Uplink uplink_;
  std::string preferred_;  ///< the tunnel's own reflector
  uplink::ProbeRoutes& routes_;
  std::vector<Target> targets_;
  std::vector<std::shared_ptr<Path>> paths_;
  std::vector<std::unique_ptr<Witness>> witnesses_;
  uplink::UplinkState state_;
  uplink::LinkHistory history_;
  std::optional<uplink::UplinkState> bound_;  ///< what the sockets were made for
  PreflightWatch preflight_;
  NatWatch nat_;
  std::optional<probe::TrackerTimeouts> tracker_;
  std::map<std::string, bool> tracker_checks_;
  std::string route_fault_;
  std::optional<Instant> fault_since_;
  verdict::Conclusion conclusion_;
  std::optional<double> last_change_;
  std::uint64_t changes_ = 0;
};

}  // namespace ue::agent
