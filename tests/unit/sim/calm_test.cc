// What must not change a verdict.
#include "scenario.h"

namespace ue::sim {
namespace {

using testing::ElementsAre;

VirtualPath::Options plain(std::uint64_t seed) { return {seed, false, {}, {}}; }

/// 0.5 % of the packets are lost, half of them in bursts; jitter, stragglers and duplicates too.
void make_ordinary(VirtualPath& path) {
  for (auto* link : {&path.out, &path.back}) {
    link->loss = .0013;
    link->burst_begins = .0004;
    link->burst_ends = .3;
    link->jitter = 30ms;
    link->straggler = .0005;
    link->duplicate = .0005;
  }
}

class Day : public testing::TestWithParam<int> {};

TEST_P(Day, AnOrdinaryDayIsHealthyThroughout) {
  for (std::uint64_t seed = 0; seed < seeds(1); ++seed) {
    VirtualPath path(plain(static_cast<std::uint64_t>(GetParam())));
    make_ordinary(path);
    path.run_until(24h / UPLINK_SIM_THINNING);
    EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();
    // The budget of a day, by the packets that it allows: 40 MB at 2 x 170 octets.
    EXPECT_LT(path.counters().sent * UPLINK_SIM_THINNING, 117'000U);
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, Day, testing::Range(1, 3));

struct Rate {
  double out;
  double back;
  std::uint64_t seeds;
};
class Loss : public testing::TestWithParam<Rate> {};

TEST_P(Loss, IsLossyAndNeverAnythingWorse) {
  for (std::uint64_t seed = 1; seed <= seeds(GetParam().seeds); ++seed) {
    VirtualPath path(plain(seed));
    const auto begin = seed % 2 == 0 ? 1200s : 0s;  // suddenly, after a good time
    path.at(begin, [&] {
      path.out.loss = GetParam().out;
      path.back.loss = GetParam().back;
    });
    path.run_until(begin + 2h);
    EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy, Verdict::lossy)) << path.story();
  }
}
INSTANTIATE_TEST_SUITE_P(Rates, Loss,
                         testing::Values(Rate{.10, .10, 20}, Rate{.16, .16, 4}, Rate{.30, 0, 4},
                                         Rate{0, .30, 4}, Rate{.30, .30, 4}));

TEST(Calm, LossyClearsWhenTheLossEnds) {
  VirtualPath path(plain(4));
  path.out.loss = .2;
  path.at(1200s, [&] { path.out.loss = 0; });
  path.run_until(1800s);
  EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy, Verdict::lossy, Verdict::healthy))
      << path.story();
}

TEST(Calm, ANatThatReBindsEveryTwentySecondsIsHealthy) {
  for (std::uint64_t seed = 1; seed <= seeds(5); ++seed) {
    VirtualPath path(seed);
    path.every(20s, [&] { path.rebind(); });
    path.run_until(1h);
    EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();
    EXPECT_GT(path.prober().mapping().port_changes(), 50U);
  }
}

TEST(Calm, AnOrdinaryNatIsHealthyWhateverItsTimeout) {
  for (const auto timeout : {13s, 20s, 120s}) {  // a fresh flow is silent for 10 s at most
    VirtualPath path(1);
    path.back.passes = idle_timeout(timeout);
    path.run_until(1h);
    EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();
  }
}

TEST(Calm, AReflectorThatRestartsLosesNothingButAFewProbes) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualPath path(seed);
    std::uint64_t instance = 100;
    path.every(251s, [&] { path.reflector().restart(++instance); });
    path.run_until(2h);
    EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();
    fall_quiet(path);
    expect_all_settled(path);
    EXPECT_LE(path.counters().forward_lost, 2U) << "a restart is no loss on the way out";
    EXPECT_EQ(path.counters().return_lost, 0U);
  }
}

TEST(Calm, AnotherInstanceBehindTheAddressChangesNothing) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualPath path(seed);
    path.out.loss = path.back.loss = .01;
    path.add_reflector(99);
    path.at(300s, [&] { path.asked_instance = 1; });
    path.at(900s, [&] { path.balance = [](const Packet&) { return 1; }; });
    path.at(1500s, [&] { path.balance = [](const Packet& p) { return p.flow % 2; }; });
    path.run_until(2400s);
    EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();
  }
}

TEST(Calm, ClockStepsChangeNeitherVerdictNorRoundTripTime) {
  for (std::uint64_t seed = 1; seed <= seeds(5); ++seed) {
    VirtualPath path(seed);
    path.every(31s, [&] { path.step_clock(from_seconds(7200 * (path.chance() - .5))); });
    // In the middle of a round trip, too.
    path.every(1700ms, [&] { path.step_clock(path.chance() < .5 ? 50ms : -50ms); });
    path.run_until(1h);
    EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();
    EXPECT_NEAR(to_seconds(path.prober().rtt().smoothed().value()), .04, .001);
    const auto& buckets = path.prober().rtt().buckets();
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      if (i == 5) continue;  // (25, 50] ms
      EXPECT_EQ(buckets[i], 0U) << i;
    }
  }
}

TEST(Calm, SleepingAndDialingAnewChangeNothing) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualPath path(seed);
    path.out.loss = path.back.loss = .01;
    for (auto at = 400s; at < 12000s; at += 1200s) {
      path.at(at, [&] { path.suspend(from_seconds(1 + 1000 * path.chance())); });
    }
    path.run_until(12000s);
    EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();

    VirtualPath dialed(seed);
    dialed.every(157s, [&] {
      dialed.rebind();
      dialed.restart();
    });
    dialed.run_until(1h);
    EXPECT_THAT(verdicts(dialed), ElementsAre(Verdict::healthy)) << dialed.story();
    fall_quiet(dialed);
    expect_all_settled(dialed);
  }
}

TEST(Calm, ADeadQueryChannelAloneIsNoFault) {
  VirtualPath path(3);
  path.out.loss = path.back.loss = .01;
  path.tcp.own = false;
  path.run_until(2h);
  EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();
  EXPECT_LT(path.questions(), 60U);  // who never answers is asked ever less often
}

TEST(Calm, ASlowPathIsHealthy) {
  VirtualPath path(3);
  path.out.delay = path.back.delay = 900ms;  // two satellites
  path.out.jitter = 300ms;
  path.run_until(1h);
  EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy)) << path.story();
}

}  // namespace
}  // namespace ue::sim
