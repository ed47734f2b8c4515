#include "agent/agent.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>

#include "agent/alert_sender.h"
#include "agent/conntrack_watch.h"
#include "agent/route_watch.h"
#include "agent/tunnel_watch.h"
#include "base/log.h"
#include "config/dump.h"

namespace ue::agent {

namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 250ms;
constexpr Nanos kSlept = 2s;
constexpr std::size_t kMostDiscovered = 64;  // uplinks; each has flows and some hundred series of its own

}  // namespace

Agent::Agent(boost::asio::io_context& loop, Box& box, metrics::Build build, Mode mode)
    : loop_(loop),
      box_(box),
      build_(std::move(build)),
      mode_(mode),
      timer_(loop),
      kernel_(loop),
      routes_(mode == Mode::one_shot),
      tunnel_routes_([this](const auto& links) {
        kernel_.watch_more([&](uplink::Interest& i) { i.tunnel_links = links; });
      }) {
  const auto now = read_clocks();
  boot_ahead_ = now.boot - now.mono.time_since_epoch();
  route_watch_ = std::make_unique<RouteWatch>(
      loop_,
      RouteWatch::Hooks{[this](const auto& destinations) {
                          kernel_.watch_more([&](uplink::Interest& i) { i.destinations = destinations; });
                        },
                        [this] { publish_soon(); }});
  conntrack_ = std::make_unique<ConntrackWatch>(loop_);
  kernel_.start({[this](bool rules) { route_watch_->look_soon(rules); },
                 [this] {
                   if (gateways_.look()) publish_soon();
                 },
                 [this] { tunnel_routes_.look_soon(); }});
}

Agent::~Agent() = default;

/// At once, but no more than four times a second.
void Agent::publish_soon() {
  const auto now = read_clocks();
  next_publish_ = now.mono;
  if (applied_ && pace_.allows(now.mono)) publish(now);
}

void Agent::apply(const config::Config& config) {
  // What every uplink's paths are made of: where one of it is another, all of them begin anew.
  const bool same_paths = applied_ && config.reflectors == config_.reflectors &&
                          config.probe == config_.probe && config.witnesses == config_.witnesses &&
                          config.openvpn == config_.openvpn;
  if (!alerts_ || config.alertmanagers != config_.alertmanagers)
    alerts_ = std::make_unique<AlertSender>(loop_, config.alertmanagers);
  const bool same_tunnels = applied_ && config.openvpn == config_.openvpn;
  config_ = config;
  config_text_ = std::make_shared<const std::string>(config::to_yaml(config));
  if (!same_paths) {
    runners_.clear();
    reflectors_.set(config_.reflectors, read_clocks().mono);
  }
  if (!config_.uplinks.empty()) {
    std::erase_if(runners_, [&](const auto& runner) {
      return std::find(config_.uplinks.begin(), config_.uplinks.end(), runner->config()) ==
             config_.uplinks.end();
    });
  }
  if (!same_tunnels) build_tunnels();
  std::vector<std::string> tunnels;
  for (const auto& tunnel : config_.openvpn) tunnels.push_back(tunnel.name);
  route_watch_->apply(config_.routes, tunnels);
  privileges_.look(config_.uplinks);
  kernel_.read();
  build_runners();
  reload_ok_ = true;
  const auto now = read_clocks();
  reload_time_ = to_unix_seconds(now.wall);
  if (!applied_) {
    applied_ = true;
    arm();
  }
  watch_flows(now.mono);  // so that the first page tells of it
  judge(now);
  publish(now);
}

Result<std::monostate> Agent::reload(const std::string& path) {
  const auto config = config::load_config(path);
  if (!config) {
    reload_ok_ = false;
    log::error("RELOAD_FAILED", "{}; the running configuration stays in force", config.error());
    publish(read_clocks());
    return Error{config.error()};
  }
  apply(*config);
  log::info("RELOADED", "{} is in force", path);
  return std::monostate{};
}

void Agent::build_runners() {
  const auto now = read_clocks();
  auto wanted = config_.uplinks.empty() ? uplink::discover(kernel_.inventory()) : config_.uplinks;
  if (config_.uplinks.empty()) forget_gone(wanted);
  const auto targets = reflectors_.usable();
  for (const auto& uplink : wanted) {
    const bool running = std::any_of(runners_.begin(), runners_.end(), [&](const auto& runner) {
      return runner->config().name == uplink.name;
    });
    if (running) continue;
    runners_.push_back(std::make_unique<UplinkRunner>(
        loop_, uplink, targets, config_, mode_, routes_,
        [this, name = uplink.name](const std::string& reflector) { return detours(name, reflector); }));
  }
  for (const auto& runner : runners_) runner->update_link(now, kernel_.inventory());
  watch_gateways();
  conntrack_->set_uplinks(wanted, kernel_.inventory());
  route_watch_->set_uplinks(wanted);
}

/// What was discovered and is gone stays, to be seen down, as long as there is room for it.
void Agent::forget_gone(std::vector<config::Uplink>& wanted) {
  const auto runs = [&](const config::Uplink& u) {
    return std::any_of(runners_.begin(), runners_.end(),
                       [&](const auto& runner) { return runner->config().name == u.name; });
  };
  if (wanted.size() > kMostDiscovered) {
    log::warn("TOO_MANY_UPLINKS",
              "{} interfaces have a default route and {} are watched: name yours under uplinks:",
              wanted.size(), kMostDiscovered);
    std::stable_partition(wanted.begin(), wanted.end(), runs);
    wanted.resize(kMostDiscovered);
  }
  const auto is_gone = [&](const auto& runner) {
    return std::none_of(wanted.begin(), wanted.end(),
                        [&](const auto& u) { return u.name == runner->config().name; });
  };
  const auto room = static_cast<std::ptrdiff_t>(kMostDiscovered - wanted.size());
  auto too_many = std::count_if(runners_.begin(), runners_.end(), is_gone) - room;
  std::erase_if(runners_, [&](const auto& runner) { return is_gone(runner) && too_many-- > 0; });
}

void Agent::watch_gateways() {
  std::map<std::string, GatewayWatch::Gateway> gateways;
  for (const auto& runner : runners_) {
    const auto& state = runner->state();
    if (state.link_up && state.gateway) gateways[runner->config().name] = {state.ifindex, *state.gateway};
  }
  gateways_.set(gateways);
  kernel_.watch_more([&](uplink::Interest& i) { i.neighbour_links = gateways_.links(); });
  gateways_.look();
}

void Agent::watch_tunnel_routes(Instant now) {
  std::map<std::string, TunnelRouteWatch::Tunnel> tunnels;
  for (const auto& t : tunnels_) tunnels[t->name()] = {t->device(), std::string(t->state())};
  tunnel_routes_.set(tunnels, kernel_.inventory(), now);
}

void Agent::watch_flows(Instant now) {
  std::set<Endpoint> own;
  for (const auto& runner : runners_) runner->add_targets(own);
  conntrack_->set_own(std::move(own));
  conntrack_->tick(now);
}

void Agent::build_tunnels() {
  tunnels_.clear();
  for (const auto& t : config_.openvpn) tunnels_.push_back(std::make_unique<TunnelWatch>(t));
}

void Agent::arm() {
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled || stopped_) return;  // what has expired already can be cancelled no more
    tick();
    arm();
  });
}

void Agent::tick() {
  const auto now = read_clocks();
  const auto ahead = now.boot - now.mono.time_since_epoch();
  if (ahead - boot_ahead_ > kSlept) {
    log::info("RESUMED", "the machine slept for {}; the probes begin anew",
              format_duration(ahead - boot_ahead_));
    for (const auto& runner : runners_) runner->rebuild();
  }
  boot_ahead_ = ahead;
  if (kernel_.changed(now.mono)) {
    kernel_.read();
    build_runners();
  }
  if (reflectors_.retry(now.mono)) {
    runners_.clear();
    build_runners();
  }
  for (const auto& tunnel : tunnels_) {
    tunnel->poll(now);
    route_watch_->set_remote(tunnel->name(), tunnel->remote());
  }
  watch_tunnel_routes(now.mono);
  watch_flows(now.mono);
  judge(now);
  if (now.mono >= next_publish_ && pace_.allows(now.mono)) publish(now);
}

void Agent::judge(const Now& now) {
  bool changed = false;
  for (const auto& runner : runners_) {
    const auto around = [&](const std::string& r) { return surroundings(runner->config().name, r, now); };
    changed = runner->judge(now, around) || changed;
  }
  if (changed) next_publish_ = now.mono;
}

bool Agent::settled() const {
  const auto now = read_clocks().mono;
  return std::all_of(runners_.begin(), runners_.end(),
                     [now](const auto& runner) { return runner->settled(now); });
}

bool Agent::suspects() const {
  return std::any_of(runners_.begin(), runners_.end(), [](const auto& runner) {
    const auto& paths = runner->paths();
    return std::any_of(paths.begin(), paths.end(), [](const auto& path) { return path->suspects(); });
  });
}

void Agent::stop() {
  stopped_ = true;
  timer_.cancel();
  kernel_.stop();
  runners_.clear();
  tunnels_.clear();
  route_watch_.reset();
  conntrack_.reset();
  alerts_.reset();
  routes_.remove_all();
}

}  // namespace ue::agent
