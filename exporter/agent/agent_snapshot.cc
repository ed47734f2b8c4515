// What the agent publishes.
#include "agent/agent.h"
#include "agent/alert_sender.h"
#include "agent/conntrack_watch.h"
#include "agent/route_watch.h"
#include "agent/tunnel_watch.h"
#include "base/process_stats.h"

namespace ue::agent {

namespace {

constexpr Nanos kPublish = std::chrono::seconds(1);  // and at once when a verdict changes

}  // namespace

void Agent::publish(const Now& now) {
  next_publish_ = now.mono + kPublish;
  pace_.note(now.mono);
  auto s = std::make_shared<metrics::Snapshot>();
  s->build = build_;
  s->process = read_process_stats();
  s->published = to_unix_seconds(now.wall);
  s->ready = applied_;
  s->config_reload_ok = reload_ok_;
  s->config_reload_time = reload_time_;
  std::string route_fault;
  for (const auto& runner : runners_) {
    if (route_fault.empty()) route_fault = runner->route_fault();
    auto u = runner->snapshot(now);
    u->gateway_reachable = gateways_.reachable(u->name);
    s->uplinks.push_back(std::move(u));
  }
  for (const auto& [name, r] : reflectors_.all()) {
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
    auto t = tunnel->snapshot();
    tunnel_routes_.add_to(*t);
    s->tunnels.push_back(std::move(t));
    for (const auto& c : tunnel->collectors()) s->collectors.push_back(c);
  }
  s->collectors.push_back({"netlink", kernel_.fault().empty(), kernel_.fault()});
  s->netlink_overruns = kernel_.overruns();
  privileges_.add_to(*s, route_fault);
  route_watch_->add_to(*s);
  tunnel_routes_.add_to(*s);
  conntrack_->add_to(*s);
  alerts_->add_to(*s);
  alerts_->consider(*s, now);
  history_.note(*s);
  s->past = history_.past();
  s->config = config_text_;
  box_.publish(std::move(s));
}

}  // namespace ue::agent
