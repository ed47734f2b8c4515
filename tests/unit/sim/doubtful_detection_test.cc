// Faults on lines, and with far ends, that make them hard to tell.
#include "scenario.h"

namespace ue::sim {
namespace {

Nanos told_within(config::Profile p) { return p == config::Profile::metered ? 90s : 60s; }

class Doubtful : public testing::TestWithParam<config::Profile> {};
INSTANTIATE_TEST_SUITE_P(Profiles, Doubtful,
                         testing::Values(config::Profile::standard, config::Profile::metered));

/// A silence of all flows may be a burst for long there.
TEST_P(Doubtful, ALineWithLongBursts) {
  for (const auto lifetime : {Nanos(0s), Nanos(1500ms)}) {
    for (std::uint64_t seed = 1; seed <= seeds(30); ++seed) {
      VirtualPath path(profile(seed, GetParam()));
      path.back.burst_begins = .005;
      path.back.burst_ends = .05;
      const auto onset = 3h;
      std::optional<Nanos> first_lost;
      path.back.passes = [&, nat = absolute_lifetime(path, lifetime, onset)](const Packet& packet) {
        const bool passes = path.elapsed() < onset || nat(packet);
        if (!passes && !first_lost) first_lost = path.elapsed();
        return passes;
      };
      path.run_until(onset + 10min);
      const auto told = path.first(Verdict::one_way, onset);
      ASSERT_TRUE(told && first_lost) << seed << "\n" << path.story();
      EXPECT_LE(*told - *first_lost, told_within(GetParam())) << seed << "\n" << path.story();
    }
  }
}

/// Only new flows beside the silent one tell there.
TEST_P(Doubtful, AFarEndThatAnswersNoQuestion) {
  for (std::uint64_t seed = 1; seed <= seeds(30); ++seed) {
    VirtualPath path(profile(seed, GetParam()));
    path.tcp.own = false;
    const auto onset = 400s;
    path.back.passes = absolute_lifetime(path, 1s, onset);
    path.run_until(onset + 10min);
    const auto told = path.first(Verdict::one_way, onset);
    ASSERT_TRUE(told) << seed << "\n" << path.story();
    EXPECT_LE(*told - onset, told_within(GetParam())) << seed << "\n" << path.story();
  }
}

}  // namespace
}  // namespace ue::sim
