// What a path publishes.
#include <fmt/format.h>

#include "agent/path.h"

namespace ue::agent {

namespace {

metrics::FlowCounters to_metrics(const probe::FlowCounters& c) {
  return {c.sent, c.delivered, c.replies, c.forward_lost, c.return_lost, c.unattributed_lost};
}

std::map<std::string, metrics::MappingLifetime> to_metrics(const probe::HoldLadder& ladder,
                                                           const std::optional<probe::TrackerTimeouts>& own) {
  std::map<std::string, metrics::MappingLifetime> lifetimes;
  for (const auto pattern : probe::kPatterns) {
    auto& l = lifetimes[std::string(name(pattern))];
    // From the start, or what the first batch counts would be no increase to anybody.
    for (const Nanos hold : ladder.holds()) l.holds[fmt::format("{}", to_seconds(hold))] = {};
    const auto b = ladder.lifetime(pattern).believed();
    if (!b) continue;
    l.lower = to_seconds(b->lower);
    if (!b->upper) continue;
    l.upper = to_seconds(*b->upper);
    const auto timeout = own ? probe::governing(pattern, *own) : std::nullopt;
    l.is_own = timeout && probe::is_own_bound(*b, *timeout);
  }
  for (const auto& [key, n] : ladder.counts())
    lifetimes[std::string(name(key.first))].holds[fmt::format("{}", to_seconds(key.second))] = {n.probes,
                                                                                                n.replies};
  return lifetimes;
}

}  // namespace

std::shared_ptr<const metrics::Path> Path::snapshot(const Now& now,
                                                    const std::optional<probe::TrackerTimeouts>& own) const {
  auto p = std::make_shared<metrics::Path>();
  p->uplink = uplink_;
  p->reflector = reflector_.name;
  p->conclusion = conclusion_;
  p->steady = to_metrics(prober_.counters(probe::FlowKind::steady));
  p->fresh = to_metrics(prober_.counters(probe::FlowKind::fresh));
  p->rtt = latency_histogram();
  p->rtt.counts.assign(prober_.rtt().buckets().begin(), prober_.rtt().buckets().end());
  p->rtt.sum = prober_.rtt().sum_seconds();
  p->tcp_connect = questions_->connect_times();
  p->tcp_connects = questions_->connects();
  p->tcp_connect_failures = questions_->connect_failures();
  const auto& mapping = prober_.mapping();
  p->mapped_address_changes = mapping.address_changes();
  p->mapped_port_changes = mapping.port_changes();
  for (const auto cause : probe::kPortChanges)
    p->port_changes_by_cause[std::string(name(cause))] = mapping.port_changes(cause);
  if (mapping.endpoint()) p->mapped_endpoint = mapping.endpoint()->to_string();
  if (ladder_) p->lifetimes = to_metrics(*ladder_, own);
  p->icmp_errors = icmp_.counts();
  p->packets_refused = prober_.refused();
  const auto o = prober_.observe(now.mono);
  if (o.window.all() > 0) {
    p->recent = metrics::Recent{o.window.answered, o.window.forward_lost, o.window.return_lost,
                                o.window.unattributed};
  }
  if (o.rtt) p->smoothed_rtt = to_seconds(*o.rtt);
  if (o.last_reply) p->last_reply = to_unix_seconds(now.wall) - to_seconds(now.mono - *o.last_reply);
  return p;
}

}  // namespace ue::agent
