#include "alert/growth.h"

namespace ue::alert {

void Growth::observe(const std::string& counter, std::uint64_t value, Instant now) {
  const auto [place, is_new] = counters_.try_emplace(counter);
  Counter& c = place->second;
  if (!is_new) c.grown += value >= c.value ? value - c.value : value;
  c.value = value;
  c.seen = now;
  if (!c.samples.empty() && now - c.samples.back().at < kResolution) return;
  c.samples.push_back({now, c.grown});
  // One sample older than the longest window stays: growth is counted from it.
  while (c.samples.size() > 1 && now - c.samples[1].at >= kLongest) c.samples.pop_front();
}

std::uint64_t Growth::over(const std::string& counter, Nanos window, Instant now) const {
  const auto found = counters_.find(counter);
  if (found == counters_.end()) return 0;
  const Counter& c = found->second;
  std::uint64_t then = c.samples.front().grown;
  for (const Sample& sample : c.samples) {
    if (now - sample.at < window) break;
    then = sample.grown;
  }
  return c.grown - then;
}

void Growth::forget_unseen(Instant now) {
  std::erase_if(counters_, [&](const auto& entry) { return entry.second.seen != now; });
}

}  // namespace ue::alert
