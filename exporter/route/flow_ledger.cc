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

void FlowLedger::count(std::uint64_t FlowCounts::*which, const Open& flow) {
  ++(flow.of->all.*which);
  if (!flow.own) ++(flow.of->others.*which);
}

void FlowLedger::apply(const FlowEvent& event, Instant now) {
  if (!event.begun) {
    const auto found = event.replied ? open_.find(event.id) : open_.end();
    if (found == open_.end()) return;
    count(&FlowCounts::answered, found->second);
    open_.erase(found);
    return;
  }
  const auto of = by_address_.find(event.reply_to);
  // To ourselves over the loopback: no uplink carries it.
  if (of == by_address_.end() || by_address_.count(event.reply_from) != 0) return;
  // On whatever port: a reflector is asked on several, to learn how the NAT maps and where it forgets.
  const auto probed = own_.lower_bound({event.reply_from, 0});
  Open flow{of->second, probed != own_.end() && probed->address == event.reply_from, 0};
  count(&FlowCounts::begun, flow);
  if (event.replied) return count(&FlowCounts::answered, flow);
  if (open_.size() >= kMostFollowed) return count(&FlowCounts::unfollowed, flow);
  flow.due = second(now + (event.timeout > Nanos{} ? event.timeout : kUsualTimeout) + kGrace) + 1;
  // The tracker gives a number again once its flow is gone; the older one was never answered.
  const auto [entry, is_new] = open_.try_emplace(event.id, flow);
  if (!is_new) {
    count(&FlowCounts::unreplied, entry->second);
    entry->second = flow;
  }
  due_[flow.due].push_back(event.id);
}

void FlowLedger::settle(Instant now) {
  const auto today = second(now);
  while (!due_.empty() && due_.begin()->first <= today) {
    for (const auto id : due_.begin()->second) {
      const auto found = open_.find(id);
      // Answered meanwhile, or the number is another flow's by now.
      if (found == open_.end() || found->second.due != due_.begin()->first) continue;
      count(&FlowCounts::unreplied, found->second);
      open_.erase(found);
    }
    due_.erase(due_.begin());
  }
}

void FlowLedger::lose_sight() {
  for (const auto& [id, flow] : open_) count(&FlowCounts::unfollowed, flow);
  open_.clear();
  due_.clear();
}

}  // namespace ue::route
