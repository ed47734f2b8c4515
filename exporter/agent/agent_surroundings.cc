// What only the sight of all uplinks and tunnels can tell about one path.
#include <algorithm>

#include "agent/agent.h"
#include "agent/conntrack_watch.h"
#include "agent/path_evidence.h"
#include "agent/tunnel_watch.h"

namespace ue::agent {

namespace {

constexpr Nanos kRefusalValid = std::chrono::seconds(45);

}  // namespace

Surroundings Agent::surroundings(const std::string& uplink, const std::string& reflector,
                                 const Now& now) const {
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
      if (runner->config().name != uplink) {
        s.answered_elsewhere = s.answered_elsewhere || path->observe(now.mono).steady == true;
        const auto& usual = path->localiser().findings().usual;
        if (usual && !s.other_way) s.other_way = usual;
      }
      ++running;
      if (since) ++silent;
      const auto refused = path->refusal();
      const auto heard = path->observe(now.mono).last_reply;
      if (refused && now.mono - refused->at < kRefusalValid && (!heard || refused->at > *heard))
        s.refusal = refused->how;
    }
  }
  s.silent_everywhere = running > 0 && silent == running;
  for (const auto& tunnel : tunnels_) {
    const auto keepalive =
        tunnel->reflector().empty() || tunnel->reflector() == reflector ? tunnel->keepalive() : std::nullopt;
    if (keepalive) s.keepalive = std::max(s.keepalive.value_or(Nanos::zero()), *keepalive);
  }
  s.bystanders = conntrack_->bystanders(uplink);
  s.tracker = conntrack_->timeouts();
  s.tracker_faults = conntrack_->faults(s.keepalive.value_or(kUsualKeepalive));
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

}  // namespace ue::agent
