#pragma once
#include <gmock/gmock.h>

#include <map>
#include <vector>

#include "config/config.h"
#include "sim/nat.h"

/// What the scenario tests share.
namespace ue::sim {

using namespace std::chrono_literals;
using verdict::Verdict;

/// `many`, or fewer under a sanitizer.
inline std::uint64_t seeds(std::uint64_t many) {
  return std::max<std::uint64_t>(1, many / UPLINK_SIM_THINNING);
}

/// At the defaults of a profile, with its hold ladder.
inline VirtualPath::Options profile(std::uint64_t seed, config::Profile p) {
  const auto config = config::default_probe(p);
  VirtualPath::Options o{seed, false};
  o.settings.interval = config.interval;
  o.settings.fresh_interval = config.fresh_interval;
  o.holds = config.holds;
  o.ladder_interval = config.ladder_interval;
  return o;
}

inline std::vector<Verdict> verdicts(const VirtualPath& path) {
  std::vector<Verdict> v;
  for (const auto& c : path.changes()) v.push_back(c.verdict);
  return v;
}

/// Verdicts that were entered at or after `from`.
inline std::vector<Verdict> verdicts_since(const VirtualPath& path, Nanos from) {
  std::vector<Verdict> v;
  for (const auto& c : path.changes()) {
    if (c.at >= from) v.push_back(c.verdict);
  }
  return v;
}

/// Every probe was settled once: nothing is open and nothing counted twice.
inline void expect_all_settled(const VirtualPath& path) {
  const auto c = path.counters();
  EXPECT_EQ(c.sent, path.truth().sent);
  EXPECT_EQ(c.sent, c.replies + c.forward_lost + c.return_lost + c.unattributed_lost);
  EXPECT_EQ(c.delivered, c.replies + c.return_lost);
  EXPECT_TRUE(path.counters_monotone());
}

/// Mends the path and waits until what was lost before must be settled, and for a moment with nothing on the
/// way.
inline void fall_quiet(VirtualPath& path) {
  path.end_repeating();
  for (auto* link : {&path.out, &path.back}) *link = Link{};
  path.reflector().refuses = {};
  path.cut(false);
  path.run_for(130s);
  const auto open = [&] {
    const auto c = path.counters();
    return c.sent - c.replies - c.forward_lost - c.return_lost - c.unattributed_lost;
  };
  for (int i = 0; i < 100 && open() > 0; ++i) path.run_for(7ms);
}

/// Most packets in any `window`, over all flows, sent at or after `from` and before `to`.
inline std::size_t busiest(const VirtualPath& path, Nanos window, Nanos from, Nanos to) {
  const auto& sent = path.sent();
  std::size_t most = 0;
  for (std::size_t first = 0, last = 0; last < sent.size(); ++last) {
    if (sent[last].at < from || sent[last].at >= to) {
      first = last + 1;
      continue;
    }
    while (sent[last].at - sent[first].at >= window) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

}  // namespace ue::sim
