#include "route/flow_ledger.h"

namespace ue::route {

namespace {

/// What the kernel's tracker begins with, where an event does not tell (nf_conntrack_udp_timeout).
constexpr Nanos kUsualTimeout = std::chrono::seconds(30);
/// An answer that came in time may be told of a little later.
constexpr Nanos kGrace = std::chrono::seconds(1);

std::int64_t second(Instant t) {
  return std::chrono::floor<std::chrono::seconds>(t.time_since_epoch()).count();
}

}  // namespace

void FlowLedger::set_uplinks(const std::map<std::string, std::vector<IpAddress>>& uplinks) {
  by_address_.clear();
  for (const auto& [name, addresses] : uplinks) {
    auto* counts = &counts_[name];
    for (const auto& address : addresses) by_address_.emplace(address, counts);
  }
}

void FlowLedger::apply(const FlowEvent& event, Instant now) {
  if (!event.begun) {
    if (event.replied) open_.erase(event.id);
    return;
  }
  const auto of = by_address_.find(event.reply_to);
  // To ourselves over the loopback: no uplink carries it.
  if (of == by_address_.end() || by_address_.count(event.reply_from) != 0) return;
  ++of->second->begun;
  if (event.replied) return;
  if (open_.size() >= kMostFollowed) {
    ++of->second->unfollowed;
    return;
  }
  const auto due = second(now + (event.timeout > Nanos{} ? event.timeout : kUsualTimeout) + kGrace) + 1;
  // The tracker gives a number again once its flow is gone; the older one was never answered.
  const auto [entry, is_new] = open_.try_emplace(event.id, Open{of->second, due});
  if (!is_new) {
    ++entry->second.of->unreplied;
    entry->second = Open{of->second, due};
  }
  due_[due].push_back(event.id);
}

void FlowLedger::stand(FlowEvent flow, Instant now) {
  flow.begun = true;
  apply(flow, now);
}

void FlowLedger::settle(Instant now) {
  const auto today = second(now);
  while (!due_.empty() && due_.begin()->first <= today) {
    for (const auto id : due_.begin()->second) {
      const auto found = open_.find(id);
      // Answered meanwhile, or the number is another flow's by now.
      if (found == open_.end() || found->second.due != due_.begin()->first) continue;
      ++found->second.of->unreplied;
      open_.erase(found);
    }
    due_.erase(due_.begin());
  }
}

void FlowLedger::lose_sight() {
  for (const auto& [id, flow] : open_) ++flow.of->unfollowed;
  open_.clear();
  due_.clear();
}

}  // namespace ue::route
