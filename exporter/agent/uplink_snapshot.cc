// What one uplink shows of itself.
#include "agent/uplink_runner.h"
#include "route/rules.h"
#include "uplink/address_kind.h"

namespace ue::agent {

namespace {

constexpr std::size_t kMostTables = 32;  // with default routes through one uplink, that have a series each

}  // namespace

std::shared_ptr<metrics::Uplink> UplinkRunner::snapshot(const Now& now) const {
  auto u = std::make_shared<metrics::Uplink>();
  u->name = uplink_.name;
  u->interface = uplink_.interface;
  u->gateway = state_.gateway ? state_.gateway->to_string() : "";
  u->labels = uplink_.labels;
  u->link_up = state_.link_up;
  u->link_changes = history_.changes();
  if (state_.source) u->address_kind = uplink::address_kind(*state_.source);
  u->address_changes = history_.address_changes();
  u->default_route = state_.default_route;
  for (const auto& [table, metric] : state_.default_routes) {
    if (u->default_route_metrics.size() < kMostTables)
      u->default_route_metrics[route::table_name(table)] = metric;
  }
  u->preflight = preflight_.checks();
  u->nat = nat_.snapshot(paths_, state_.gateway);
  u->preflight.insert(tracker_checks_.begin(), tracker_checks_.end());
  u->conclusion = conclusion_;
  u->scope = verdict::scope_name(conclusion_.scope);
  u->last_change = last_change_;
  u->verdict_changes = changes_;
  for (const auto& path : paths_) u->paths.push_back(path->snapshot(now, tracker_));
  return u;
}

}  // namespace ue::agent
