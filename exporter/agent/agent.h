#pragma once
#include <memory>
#include <string>
#include <vector>

#include "agent/gateway_watch.h"
#include "agent/kernel_watch.h"
#include "agent/privileges.h"
#include "agent/publish_pace.h"
#include "agent/reflector_targets.h"
#include "agent/tunnel_route_watch.h"
#include "agent/uplink_runner.h"
#include "metrics/history.h"
#include "metrics/snapshot.h"
#include "metrics/snapshot_box.h"

namespace ue::agent {

class AlertSender;
class ConntrackWatch;
class RouteWatch;
class TunnelWatch;

/// Everything that uplink_exporter does beside serving: builds the uplinks, reflectors and tunnels of a
/// configuration, keeps them in step with the kernel, judges four times a second and publishes a Snapshot.
/// Owned by main; every function is called on the loop's thread, web threads see only the box.
class Agent {
 public:
  using Box = metrics::SnapshotBox<metrics::Snapshot>;

  Agent(boost::asio::io_context& loop, Box& box, metrics::Build build, Mode mode = Mode::service);
  ~Agent();

  /// Puts a configuration in force; what it does not change goes on undisturbed, with its counters.
  void apply(const config::Config& config);
  /// Reads the file again. A bad one keeps the running configuration, and says why.
  Result<std::monostate> reload(const std::string& path);
  /// Every uplink has a verdict, and nothing is under way that could tell more of it soon.
  bool settled() const;
  /// Some uplink's mapping seems to be short, and that could still be chance.
  bool suspects() const;
  /// Ends all probing; the loop is polled once more afterwards so that cancelled waits are gone.
  void stop();

 private:
  void publish_soon();
  void build_runners();
  void forget_gone(std::vector<config::Uplink>& wanted);
  void build_tunnels();
  void watch_gateways();
  void watch_tunnel_routes(Instant now);
  void watch_flows(Instant now);
  void tick();
  void judge(const Now& now);
  Surroundings surroundings(const std::string& uplink, const std::string& reflector, const Now& now) const;
  std::vector<Detour> detours(const std::string& uplink, const std::string& reflector) const;
  void publish(const Now& now);
  void arm();

  boost::asio::io_context& loop_;
  Box& box_;
  metrics::Build build_;
  Mode mode_;
  boost::asio::steady_timer timer_;
  bool stopped_ = false;
  config::Config config_;
  KernelWatch kernel_;
  uplink::ProbeRoutes routes_;
  ReflectorTargets reflectors_;
  std::vector<std::unique_ptr<UplinkRunner>> runners_;
  std::vector<std::unique_ptr<TunnelWatch>> tunnels_;
  std::unique_ptr<RouteWatch> route_watch_;
  std::unique_ptr<ConntrackWatch> conntrack_;
  std::unique_ptr<AlertSender> alerts_;
  TunnelRouteWatch tunnel_routes_;
  Privileges privileges_;
  GatewayWatch gateways_;
  Nanos boot_ahead_{};  ///< CLOCK_BOOTTIME minus CLOCK_MONOTONIC: grows while the machine sleeps
  bool applied_ = false;
  Instant next_publish_{};
  PublishPace pace_;
  metrics::History history_;
  std::shared_ptr<const std::string> config_text_;  ///< of config_, for the page
  bool reload_ok_ = true;
  double reload_time_ = 0;
};

}  // namespace ue::agent
