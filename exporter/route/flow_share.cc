#include "route/flow_share.h"

namespace ue::route {

namespace {

constexpr Nanos kEvery = std::chrono::seconds(10);

}  // namespace

void FlowShare::observe(const std::map<std::string, UplinkFlows>& counts, Instant now) {
  now_.clear();
  for (const auto& [uplink, flows] : counts) now_[uplink] = {flows.others.answered, flows.others.unreplied};
  if (samples_.empty() || now - samples_.back().at >= kEvery) samples_.push_back({now, now_});
  while (samples_.size() > 1 && now - samples_[1].at >= kWindow) samples_.pop_front();
}

std::map<std::string, Bystanders> FlowShare::lately() const {
  std::map<std::string, Bystanders> all = now_;
  for (auto& [uplink, n] : all) {
    const auto& first = samples_.front().totals;
    const auto before = first.find(uplink);
    if (before == first.end()) continue;
    n.answered -= before->second.answered;
    n.unreplied -= before->second.unreplied;
  }
  return all;
}

}  // namespace ue::route
