// How a bad verdict clears, and what is sent meanwhile.
#include "scenario.h"

namespace ue::sim {
namespace {

using testing::ElementsAre;

struct Cure {
  Nanos lifetime;  ///< of the fault; zero: nothing comes back
  Nanos proof;     ///< max(25 s, 2 N)
};
class Recovery : public testing::TestWithParam<Cure> {};

TEST_P(Recovery, ClearsOnlyWhenTwoNewFlowsHaveLivedLongEnough) {
  const auto [lifetime, proof] = GetParam();
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    VirtualPath path(seed);
    const auto cure = 500s + from_seconds(static_cast<double>(seed));
    path.back.passes = absolute_lifetime(path, lifetime, 100s);
    path.at(cure, [&] { path.back.passes = {}; });
    path.run_until(cure);
    ASSERT_EQ(path.verdict(), Verdict::one_way) << path.story();
    path.run_until(cure + 300s);
    const auto cleared = path.first(Verdict::healthy, cure);
    ASSERT_TRUE(cleared) << path.story();
    EXPECT_LE(*cleared - cure, proof + 35s) << path.story();
    EXPECT_THAT(verdicts_since(path, cure), ElementsAre(Verdict::healthy)) << path.story();
    int proven = 0;
    for (const auto& [flow, age] : path.answered_ages(*cleared)) {
      if (path.opened(flow) >= 100s && age >= proof - 50ms) ++proven;
    }
    EXPECT_GE(proven, 2) << path.story();
  }
}
INSTANTIATE_TEST_SUITE_P(Lifetimes, Recovery, testing::Values(Cure{0s, 25s}, Cure{4s, 25s}, Cure{30s, 60s}));

TEST(Recovery, ReturnsWithinThePaceOfRfc8085) {
  for (const auto lifetime : {0s, 4s, 30s}) {
    VirtualPath path(9);
    path.back.passes = absolute_lifetime(path, lifetime, 100s);
    path.run_until(1500s);
    const auto concluded = path.first(Verdict::one_way, 100s);
    ASSERT_TRUE(concluded) << path.story();
    EXPECT_LE(busiest(path, 3s, *concluded, 1500s), 1U);
    EXPECT_GE(busiest(path, 60s, *concluded, 1500s), 15U) << "it must go on looking";
  }
}

TEST(Recovery, StuckMappingIsProvenByASuccessorThatOutlivesIt) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualPath path(seed);
    path.at(200s, [&] { path.back.passes = without_flows_until_now(path); });
    path.run_until(500s);
    EXPECT_THAT(verdicts_since(path, 150s), ElementsAre(Verdict::return_lost, Verdict::stuck_mapping))
        << path.story();
    const auto stuck = path.first(Verdict::stuck_mapping).value_or(0s);
    EXPECT_GE(stuck, 400s);        // as old as the one that died
    EXPECT_LE(stuck, 400s + 40s);  // a tenth and 5 s more, and the time to see it
  }
}

TEST(Recovery, TenMinutesProveAStuckMappingOfAnyAge) {
  VirtualPath path(2);
  path.at(5000s, [&] { path.back.passes = without_flows_until_now(path); });
  path.run_until(5700s);
  EXPECT_THAT(verdicts_since(path, 150s), ElementsAre(Verdict::return_lost, Verdict::stuck_mapping));
  EXPECT_NEAR(to_seconds(path.first(Verdict::stuck_mapping).value()), 5602, 5);
}

TEST(Recovery, AnOutageIsDownAndNothingElse) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    for (const auto length : {20s, 60s, 200s, 900s}) {
      VirtualPath path(seed);
      const auto begin = 100s + from_seconds(path.chance());
      path.at(begin, [&] { path.cut(true); });
      path.at(begin + length, [&] { path.cut(false); });
      path.run_until(begin + length + 120s);
      EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy, Verdict::down, Verdict::healthy))
          << length.count() << " " << seed << "\n"
          << path.story();
      EXPECT_LE(path.first(Verdict::down).value_or(begin), begin + 15s);
    }
  }
}

struct Onto {
  Nanos lifetime;  ///< of the one-way fault
  bool other;      ///< another uplink reaches the reflector
  Nanos goal;      ///< where nobody is reached, a server that is restarted must be given its time
};
class OutageOfOneWay : public testing::TestWithParam<Onto> {};

TEST_P(OutageOfOneWay, IsDownForAsLongAsItLasts) {
  const auto [lifetime, other, goal] = GetParam();
  for (const double loss : {0., .03}) {
    for (std::uint64_t seed = 1; seed <= seeds(40); ++seed) {
      VirtualPath path(seed);
      path.out.loss = path.back.loss = loss;
      path.tcp.other = other;
      path.back.passes = absolute_lifetime(path, lifetime, 1000s);
      const auto begin = 1600s + from_seconds(60 * path.chance());
      const auto end = begin + 900s + from_seconds(60 * path.chance());
      path.at(begin, [&] { path.cut(true); });
      path.at(end, [&] { path.cut(false); });
      path.at(end + 1000s, [&] { path.back.passes = {}; });
      path.run_until(end + 1500s);
      EXPECT_THAT(verdicts_since(path, 1300s), ElementsAre(Verdict::down, Verdict::one_way, Verdict::healthy))
          << loss << " " << seed << "\n"
          << path.story();
      EXPECT_LE(path.first(Verdict::down, begin).value_or(end), begin + goal) << loss << " " << seed;
      EXPECT_LE(path.first(Verdict::one_way, end).value_or(end + 1000s), end + 150s) << loss << " " << seed;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Lifetimes, OutageOfOneWay,
                         testing::Values(Onto{0s, false, 95s}, Onto{4s, false, 95s}, Onto{30s, false, 95s},
                                         Onto{0s, true, 70s}, Onto{4s, true, 70s}, Onto{30s, true, 70s}));

TEST(Recovery, UdpThatIsBlockedOnTopOfOneWayIsTold) {
  for (const double loss : {0., .03}) {
    for (std::uint64_t seed = 1; seed <= seeds(40); ++seed) {
      VirtualPath path(seed);
      path.out.loss = path.back.loss = loss;
      path.at(1000s, [&] { path.back.passes = nothing(); });
      const auto begin = 1600s + from_seconds(60 * path.chance());
      path.at(begin, [&] { path.out.passes = nothing(); });
      path.run_until(begin + 900s);
      EXPECT_THAT(verdicts_since(path, 1300s), ElementsAre(Verdict::udp_blocked)) << path.story();
      EXPECT_LE(path.first(Verdict::udp_blocked, begin).value_or(begin + 900s), begin + 200s) << seed;
    }
  }
}

TEST(Recovery, WhatWasProvenBeforeAnOutageIsNothingAfterIt) {
  for (const bool other : {true, false}) {
    for (std::uint64_t seed = 1; seed <= seeds(40); ++seed) {
      VirtualPath path(seed);
      path.tcp.other = other;
      path.at(1000s, [&] { path.back.passes = nothing(); });
      const auto begin = 1600s + from_seconds(60 * path.chance());
      path.at(begin, [&] { path.cut(true); });
      path.at(begin + 110s, [&] {
        path.out.passes = nothing();
        path.cut(false);
      });
      path.run_until(begin + 900s);
      EXPECT_THAT(verdicts_since(path, 1300s), ElementsAre(Verdict::down, Verdict::udp_blocked))
          << path.story();
    }
  }
}

TEST(Recovery, OneWayStandsOnALossyLine) {
  for (const double loss : {.1, .2}) {
    for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
      VirtualPath path(seed);
      path.out.loss = path.back.loss = loss;
      path.at(1000s, [&] { path.back.passes = nothing(); });
      path.run_until(3h);
      EXPECT_EQ(path.verdict(), Verdict::one_way);
      EXPECT_THAT(verdicts_since(path, 1000s).size(), testing::Le(2U)) << seed << "\n" << path.story();
    }
  }
}

TEST(Recovery, AReflectorThatIsRestartedChangesNoVerdict) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualPath path(seed);
    path.at(100s, [&] { path.back.passes = nothing(); });
    path.at(1000s, [&] { path.tcp.own = false; });
    path.at(1040s, [&] { path.tcp.own = true; });
    path.run_until(2000s);
    EXPECT_THAT(verdicts_since(path, 150s), ElementsAre()) << path.story();
  }
}

struct FarEnd {
  bool own;       ///< TCP through this uplink reaches it
  bool restarts;  ///< it comes back as another instance, which knows nothing yet
};
class FarEndOfOneWay : public testing::TestWithParam<FarEnd> {};

TEST_P(FarEndOfOneWay, MayBeAwayForLessThanAMinute) {
  const auto [own, restarts] = GetParam();
  for (std::uint64_t seed = 1; seed <= seeds(100); ++seed) {
    VirtualPath path(seed);
    path.tcp = {.own = own, .other = true};
    path.at(100s, [&] { path.back.passes = nothing(); });
    for (auto at = 1000s; at < 4000s; at += 300s) {
      const auto begin = at + from_seconds(60 * path.chance());
      path.at(begin, [&] {
        path.cut(true);
        path.tcp.other = false;
      });
      path.at(begin + from_seconds(5 + 54 * path.chance()), [&] {
        path.cut(false);
        path.tcp.other = true;
        if (restarts) path.reflector().restart(path.reflector().answer({}).instance_id + 1);
      });
    }
    path.run_until(4200s);
    ASSERT_EQ(path.verdict(), Verdict::one_way) << seed << "\n" << path.story();
    EXPECT_THAT(verdicts_since(path, 150s), ElementsAre()) << seed << "\n" << path.story();
  }
}
INSTANTIATE_TEST_SUITE_P(Recovery, FarEndOfOneWay,
                         testing::Values(FarEnd{true, false}, FarEnd{true, true}, FarEnd{false, false},
                                         FarEnd{false, true}));

TEST(Recovery, ADeadReflectorIsTheReflectorsFaultAndClears) {
  VirtualPath path(11);
  path.at(100s, [&] { path.cut(true); });
  path.at(103s, [&] {
    path.context.silent_everywhere = true;
    path.context.proof = "it refuses with a TCP reset";
  });
  path.at(400s, [&] {
    path.cut(false);
    path.reflector().restart(12);
  });
  path.at(405s, [&] {
    path.context.silent_everywhere = false;
    path.context.proof.clear();
  });
  path.run_until(500s);
  EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy, Verdict::reflector_down, Verdict::healthy))
      << path.story();
}

TEST(Recovery, AShortOutageChangesNothing) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    VirtualPath path(seed);
    path.every(97s, [&] {
      path.cut(true);
      path.at(path.elapsed() + from_seconds(1 + 5 * path.chance()), [&] { path.cut(false); });
    });
    path.run_until(3000s);
    EXPECT_THAT(verdicts(path), testing::Each(testing::AnyOf(Verdict::healthy, Verdict::lossy)))
        << path.story();
  }
}

TEST(Recovery, BlockedUdpIsToldFromADeadReturn) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    for (const auto begin : {0s, 100s}) {
      VirtualPath path(seed);
      path.at(begin, [&] { path.out.passes = nothing(); });
      path.at(400s, [&] { path.out.passes = {}; });
      path.run_until(400s);
      EXPECT_THAT(verdicts_since(path, begin + 1s).front(), Verdict::udp_blocked) << path.story();
      EXPECT_LE(path.first(Verdict::udp_blocked).value_or(400s), begin + 12s);
      path.run_until(520s);
      EXPECT_EQ(path.verdict(), Verdict::healthy) << path.story();
      EXPECT_THAT(verdicts_since(path, begin + 1s), ElementsAre(Verdict::udp_blocked, Verdict::healthy))
          << path.story();
    }
  }
}

TEST(Recovery, NewFlowsThatAreBlockedAreSeenAndClear) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    for (const bool forward : {true, false}) {
      VirtualPath path(seed);
      auto& link = forward ? path.out : path.back;
      path.at(200s, [&] { link.passes = only_flows_until_now(path); });
      path.at(500s, [&] { link.passes = {}; });
      path.run_until(700s);
      EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy, Verdict::new_flows_blocked, Verdict::healthy))
          << path.story();
      EXPECT_LE(path.first(Verdict::new_flows_blocked).value_or(500s), 320s);
    }
  }
}

}  // namespace
}  // namespace ue::sim
