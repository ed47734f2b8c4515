#include "probe/mapping_watch.h"

#include <algorithm>
#include <numeric>

namespace ue::probe {

namespace {

/// No NAT is known that forgets sooner in good order, and a flow in use sends more often.
constexpr Nanos kIdle = std::chrono::seconds(3);
constexpr std::uint32_t kNoChance = 3;

}  // namespace

std::string_view name(PortChange c) {
  switch (c) {
    case PortChange::idle:
      return "idle";
    case PortChange::active:
      return "active";
    case PortChange::every_packet:
      return "every_packet";
  }
  return "active";
}

Nanos MappingWatch::sent(FlowHandle handle, Instant now) {
  auto& flow = flows_[handle];
  const auto gap = flow.last_sent ? now - *flow.last_sent : Nanos::zero();
  flow.longest_gap = std::max(flow.longest_gap, gap);
  flow.last_sent = now;
  return gap;
}

void MappingWatch::seen(FlowHandle handle, std::uint32_t sequence, const Endpoint& mapped) {
  if (newest_ && newest_->address != mapped.address) ++address_changes_;
  newest_ = mapped;
  const auto found = flows_.find(handle);
  if (found == flows_.end()) return;
  auto& flow = found->second;
  if (flow.mapped && sequence < flow.sequence) return;  // of a packet before the one that is known of
  if (flow.mapped && flow.mapped->port != mapped.port) {
    flow.consecutive = sequence == flow.sequence + 1 ? flow.consecutive + 1 : 0;
    const auto cause = flow.consecutive >= kNoChance ? PortChange::every_packet
                       : flow.longest_gap >= kIdle   ? PortChange::idle
                                                     : PortChange::active;
    ++port_changes_[static_cast<std::size_t>(cause)];
  } else if (sequence != flow.sequence) {
    flow.consecutive = 0;
  }
  flow.mapped = mapped;
  flow.sequence = sequence;
  flow.longest_gap = Nanos::zero();
}

std::uint64_t MappingWatch::port_changes() const {
  return std::accumulate(port_changes_.begin(), port_changes_.end(), std::uint64_t{0});
}

}  // namespace ue::probe
