// A day on which everything happens that is no fault of the return path: no verdict may say that it is.
#include "scenario.h"

namespace ue::sim {
namespace {

using testing::AnyOf;
using testing::Each;

struct Outage {
  Nanos begin;
  Nanos end;
};

class RoughDay : public testing::TestWithParam<std::uint64_t> {};

TEST_P(RoughDay, OutagesAreDownAndTheRestIsNothing) {
  VirtualPath path({GetParam(), false, {}, {}});
  for (auto* link : {&path.out, &path.back}) {
    link->loss = GetParam() % 2 == 0 ? .02 : .001;
    link->burst_begins = .0004;
    link->burst_ends = .3;
    link->jitter = 30ms;
    link->straggler = link->duplicate = .0005;
  }
  std::vector<Outage> outages;
  path.every(20min + 33s, [&] {
    const auto longest = path.chance() < .5 ? 20 : 200;
    const auto end = path.elapsed() + from_seconds(1 + longest * path.chance());
    outages.push_back({path.elapsed(), end});
    path.cut(true);
    path.at(end, [&] { path.cut(false); });
  });
  path.every(47min, [&] { path.rebind(); });
  path.every(83min, [&] { path.reflector().restart(1 + path.elapsed().count()); });
  path.every(71min, [&] {
    path.rebind();
    path.restart();
  });
  path.every(101min, [&] { path.suspend(from_seconds(5 + 1000 * path.chance())); });
  path.every(37min, [&] { path.step_clock(from_seconds(1000 * (path.chance() - .5))); });
  path.run_until(10h);

  EXPECT_THAT(verdicts(path), Each(AnyOf(Verdict::healthy, Verdict::lossy, Verdict::down))) << path.story();
  for (const auto& change : path.changes()) {
    if (change.verdict != Verdict::down) continue;
    const bool out = std::any_of(outages.begin(), outages.end(), [&](const Outage& o) {
      return change.at >= o.begin && change.at <= o.end + 6s;  // a question takes its time to fail
    });
    EXPECT_TRUE(out) << to_seconds(change.at) << "\n" << path.story();
  }
  fall_quiet(path);
  expect_all_settled(path);
  EXPECT_LE(path.counters().forward_lost, path.truth().lost_outward);
  path.run_for(60s);
  EXPECT_THAT(path.verdict(), AnyOf(Verdict::healthy, Verdict::lossy)) << path.story();
}
INSTANTIATE_TEST_SUITE_P(Seeds, RoughDay, testing::Range<std::uint64_t>(1, 1 + seeds(8)));

}  // namespace
}  // namespace ue::sim
