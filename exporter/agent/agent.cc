#include "agent/agent.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "agent/conntrack_watch.h"
#include "agent/route_watch.h"
#include "agent/tunnel_watch.h"
#include "base/log.h"
#include "base/process_stats.h"
#include "config/key_file.h"

namespace ue::agent {

namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 250ms;
constexpr Nanos kPublish = 1s;  // and at once when a verdict changes
constexpr Nanos kRetryKeys = 60s;
constexpr Nanos kSettle = 200ms;  // a re-dial is a dozen netlink events; they are read once
constexpr Nanos kSlept = 2s;
constexpr Nanos kRefusalValid = 45s;

}  // namespace

Agent::Agent(boost::asio::io_context& loop, Box& box, metrics::Build build)
    : loop_(loop), box_(box), build_(std::move(build)), timer_(loop) {
  const auto now = read_clocks();
  boot_ahead_ = now.boot - now.mono.time_since_epoch();
  route_watch_ = std::make_unique<RouteWatch>(
      loop_, RouteWatch::Hooks{[this](const auto& destinations) {
                                 watch_more([&](uplink::Interest& i) { i.destinations = destinations; });
                               },
                               [this] { publish_soon(); }});
  conntrack_ = std::make_unique<ConntrackWatch>(loop_);
  watch_kernel();
}

Agent::~Agent() = default;

void Agent::watch_kernel() {
  auto monitor = uplink::Monitor::open();
  if (!monitor) {
    inventory_fault_ = monitor.error();
    log::warn("KERNEL_NOT_WATCHED", "changes of links and addresses go unnoticed until a reload: {}",
              monitor.error());
    return;
  }
  monitor_.emplace(std::move(*monitor));
  // The descriptor stays the monitor's own; it is released, not closed, in stop().
  monitor_wait_ = std::make_unique<boost::asio::posix::stream_descriptor>(loop_, monitor_->fd());
  const auto wait = [this](const auto& self) -> void {
    monitor_wait_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                              [this, self](const boost::system::error_code& error) {
                                if (error) return;
                                const auto changes = monitor_->drain();
                                if (changes.ways) route_watch_->look_soon(changes.rules);
                                if (changes.neighbours && gateways_.look()) publish_soon();
                                if (changes.inventory && !kernel_changed_) {
                                  kernel_changed_ = true;
                                  read_kernel_at_ = read_clocks().mono + kSettle;
                                }
                                self(self);
                              });
  };
  wait(wait);
}

/// What the kernel tells of, beside what it always does.
void Agent::watch_more(const std::function<void(uplink::Interest&)>& edit) {
  if (!monitor_) return;
  auto interest = monitor_->interest();
  edit(interest);
  if (interest != monitor_->interest()) monitor_->watch(std::move(interest));
}

/// At once, but no more than four times a second.
void Agent::publish_soon() {
  const auto now = read_clocks();
  next_publish_ = now.mono;
  if (applied_ && now.mono - published_ >= kTick) publish(now);
}

void Agent::read_kernel() {
  kernel_changed_ = false;
  auto inventory = uplink::read_inventory();
  if (!inventory) {
    inventory_fault_ = inventory.error();
    log::error("KERNEL_NOT_READ", "links and addresses cannot be read: {}", inventory.error());
    return;
  }
  inventory_fault_.clear();
  inventory_ = std::move(*inventory);
}

void Agent::apply(const config::Config& config) {
  // What every uplink's paths are made of: where one of it is another, all of them begin anew.
  const bool same_paths = applied_ && config.reflectors == config_.reflectors &&
                          config.probe == config_.probe && config.witnesses == config_.witnesses &&
                          config.openvpn == config_.openvpn;
  const bool same_tunnels = applied_ && config.openvpn == config_.openvpn;
  config_ = config;
  if (!same_paths) {
    runners_.clear();
    reflectors_.clear();
    for (const auto& r : config_.reflectors) reflectors_[r.name] = ReflectorState{r, std::nullopt, ""};
    (void)load_keys();
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
  read_kernel();
  build_runners();
  reload_ok_ = true;
  const auto now = read_clocks();
  reload_time_ = to_unix_seconds(now.wall);
  if (!applied_) {
    applied_ = true;
    arm();
  }
  conntrack_->tick(now.mono);  // so that the first page tells of it
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

/// A reflector whose key cannot be read is off by itself, and is tried again every minute. True: one is on
/// again.
bool Agent::load_keys() {
  bool mended = false;
  retry_keys_at_ = read_clocks().mono + kRetryKeys;
  for (auto& [name, r] : reflectors_) {
    if (r.config.protocol == config::Protocol::stun || r.config.key_file.empty() || r.identity) continue;
    const auto key = config::load_gateway_key(r.config.key_file);
    if (!key) {
      if (r.fault != key.error()) log::error("KEY_UNUSABLE", "reflector {} is off: {}", name, key.error());
      r.fault = key.error();
      continue;
    }
    r.fault.clear();
    mended = true;
    r.identity = probe::Identity{key->key_id, key->gateway_id, key->secret};
  }
  return mended;
}

void Agent::build_runners() {
  const auto now = read_clocks();
  const auto wanted = config_.uplinks.empty() ? uplink::discover(inventory_) : config_.uplinks;
  std::vector<ReflectorTarget> targets;
  for (const auto& r : config_.reflectors) {
    const auto& state = reflectors_.at(r.name);
    if (state.fault.empty()) targets.push_back({r, state.identity});
  }
  for (const auto& uplink : wanted) {
    const bool running = std::any_of(runners_.begin(), runners_.end(), [&](const auto& runner) {
      return runner->config().name == uplink.name;
    });
    if (running) continue;
    runners_.push_back(std::make_unique<UplinkRunner>(
        loop_, uplink, targets, config_, routes_,
        [this, name = uplink.name](const std::string& reflector) { return detours(name, reflector); }));
  }
  for (const auto& runner : runners_) runner->update_link(now, inventory_);
  watch_gateways();
  conntrack_->set_uplinks(wanted, inventory_);
  route_watch_->set_uplinks(wanted);
}

void Agent::watch_gateways() {
  std::map<std::string, GatewayWatch::Gateway> gateways;
  for (const auto& runner : runners_) {
    const auto& state = runner->state();
    if (state.link_up && state.gateway) gateways[runner->config().name] = {state.ifindex, *state.gateway};
  }
  gateways_.set(gateways);
  watch_more([&](uplink::Interest& i) { i.neighbour_links = gateways_.links(); });
  gateways_.look();
}

void Agent::build_tunnels() {
  tunnels_.clear();
  for (const auto& t : config_.openvpn) tunnels_.push_back(std::make_unique<TunnelWatch>(t));
}

void Agent::arm() {
  timer_.expires_after(kTick);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled) return;
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
  if (kernel_changed_ && now.mono >= read_kernel_at_) {
    read_kernel();
    build_runners();
  }
  const bool keyless = std::any_of(reflectors_.begin(), reflectors_.end(),
                                   [](const auto& r) { return !r.second.fault.empty(); });
  if (keyless && now.mono >= retry_keys_at_ && load_keys()) {
    runners_.clear();
    build_runners();
  }
  for (const auto& tunnel : tunnels_) {
    tunnel->poll(now);
    route_watch_->set_remote(tunnel->name(), tunnel->remote());
  }
  conntrack_->tick(now.mono);
  judge(now);
  if (now.mono >= next_publish_) publish(now);
}

void Agent::judge(const Now& now) {
  bool changed = false;
  for (const auto& runner : runners_) {
    changed = runner->judge(now, [&](const std::string& r) { return surroundings(r, now); }) || changed;
  }
  if (changed) next_publish_ = now.mono;
}

Surroundings Agent::surroundings(const std::string& reflector, const Now& now) const {
  Surroundings s;
  std::size_t running = 0;
  std::size_t silent = 0;
  s.every_uplink_silent = !runners_.empty();
  for (const auto& runner : runners_) {
    for (const auto& path : runner->paths()) {
      if (!path->running()) continue;
      const auto since = runner->silent_since(*path, now.mono);
      if (!since) s.every_uplink_silent = false;
      if (path->reflector() != reflector) continue;
      ++running;
      if (since) ++silent;
      const auto refused = path->refused_at();
      const auto heard = path->observe(now.mono).last_reply;
      if (refused && now.mono - *refused < kRefusalValid && (!heard || *refused > *heard))
        s.refusal = path->refusal();
    }
  }
  s.silent_everywhere = running > 0 && silent == running;
  for (const auto& tunnel : tunnels_) {
    const auto keepalive =
        tunnel->reflector().empty() || tunnel->reflector() == reflector ? tunnel->keepalive() : std::nullopt;
    if (keepalive) s.keepalive = std::max(s.keepalive.value_or(Nanos::zero()), *keepalive);
  }
  return s;
}

std::vector<Detour> Agent::detours(const std::string& uplink, const std::string& reflector) const {
  std::vector<Detour> ways;
  for (const auto& runner : runners_) {
    if (runner->config().name == uplink) continue;
    if (auto way = runner->way_to(reflector)) ways.push_back(std::move(*way));
  }
  return ways;
}

void Agent::publish(const Now& now) {
  next_publish_ = now.mono + kPublish;
  published_ = now.mono;
  auto s = std::make_shared<metrics::Snapshot>();
  s->build = build_;
  s->process = read_process_stats();
  s->published = to_unix_seconds(now.wall);
  s->ready = applied_;
  s->config_reload_ok = reload_ok_;
  s->config_reload_time = reload_time_;
  for (const auto& runner : runners_) {
    auto u = runner->snapshot(now);
    u->gateway_reachable = gateways_.reachable(u->name);
    s->uplinks.push_back(std::move(u));
  }
  for (const auto& [name, r] : reflectors_) {
    s->collectors.push_back({"reflector:" + name, r.fault.empty(), r.fault});
    bool answered = false;
    bool known = false;
    for (const auto& runner : runners_) {
      for (const auto& path : runner->paths()) {
        if (path->reflector() != name || path->conclusion().verdict == verdict::Verdict::unknown) continue;
        known = true;
        answered = answered || path->conclusion().verdict != verdict::Verdict::reflector_down;
      }
    }
    if (known) s->reflectors_up[name] = answered;
  }
  for (const auto& tunnel : tunnels_) {
    s->tunnels.push_back(tunnel->snapshot());
    for (const auto& c : tunnel->collectors()) s->collectors.push_back(c);
  }
  s->collectors.push_back({"netlink", inventory_fault_.empty(), inventory_fault_});
  if (monitor_) s->netlink_overruns = monitor_->overruns();
  route_watch_->add_to(*s);
  conntrack_->add_to(*s);
  box_.publish(std::move(s));
}

void Agent::stop() {
  timer_.cancel();
  if (monitor_wait_) monitor_wait_->release();
  runners_.clear();
  tunnels_.clear();
  route_watch_.reset();
  conntrack_.reset();
  routes_.remove_all();
}

}  // namespace ue::agent
