#include "probe/fresh_history.h"

#include <algorithm>

namespace ue::probe {

namespace {

constexpr std::size_t kKept = 16;        // enough for kMostNeeded losses at three a flow
constexpr std::uint32_t kDeadAfter = 3;  // resolved probes without an answer
constexpr std::uint32_t kDeadFlowsNeeded = 3;

}  // namespace

void FreshHistory::opened(const Flow& flow) {
  records_.push_back({flow.handle, State::undecided, 0});
  if (records_.size() > kKept) records_.erase(records_.begin());
}

void FreshHistory::update(const Flow& flow) {
  if (records_.empty() || flow.handle < records_.front().flow) return;  // handles only grow
  const auto r =
      std::find_if(records_.begin(), records_.end(), [&](const auto& x) { return x.flow == flow.handle; });
  if (r == records_.end()) return;
  if (flow.answers() > 0) {
    *r = {flow.handle, State::alive, 0};
  } else if (flow.resolved() >= kDeadAfter) {
    *r = {flow.handle, State::dead, flow.resolved()};
  }
}

void FreshHistory::closed(const Flow& flow) {
  std::erase_if(records_,
                [&](const auto& r) { return r.flow == flow.handle && r.state == State::undecided; });
}

std::uint32_t FreshHistory::dead_in_a_row() const {
  std::uint32_t count = 0;
  for (auto r = records_.rbegin(); r != records_.rend() && r->state != State::alive; ++r) {
    if (r->state == State::dead) ++count;
  }
  return count;
}

std::uint32_t FreshHistory::losses_in_a_row() const {
  std::uint32_t losses = 0;
  for (auto r = records_.rbegin(); r != records_.rend() && r->state != State::alive; ++r) losses += r->losses;
  return losses;
}

std::optional<bool> FreshHistory::answered(std::uint32_t losses_needed) const {
  const auto newest = std::find_if(records_.rbegin(), records_.rend(),
                                   [](const auto& r) { return r.state != State::undecided; });
  if (newest == records_.rend()) return std::nullopt;
  if (newest->state == State::alive) return true;
  if (dead_in_a_row() >= kDeadFlowsNeeded && losses_in_a_row() >= losses_needed) return false;
  return std::nullopt;
}

}  // namespace ue::probe
