#include <gtest/gtest.h>

#include "scenario.h"
#include "sim/virtual_ladder.h"

namespace ue::sim {
namespace {

using probe::Pattern;

/// "10..11" in seconds; "120..Inf" where nothing failed.
std::string bracket(const VirtualLadder& world, Pattern p) {
  const auto b = world.ladder().lifetime(p).believed();
  if (!b) return "none";
  const auto s = [](Nanos d) { return std::to_string(d / 1s); };
  return s(b->lower) + ".." + (b->upper ? s(*b->upper) : "Inf");
}

struct Measured : VirtualLadder {
  explicit Measured(NatTimers timers, std::uint64_t seed = 1, double loss_ratio = 0, Nanos time = 30min)
      : VirtualLadder(seed, timers, loss_ratio) {
    allow(true);
    run_for(time);
  }
};

TEST(HoldLadder, LinuxTimersScaledByTen) {
  Measured world(NatTimers{3s, 3s, 12s});
  EXPECT_EQ(bracket(world, Pattern::solitary), "2..3");
  EXPECT_EQ(bracket(world, Pattern::exchange), "2..3");
  EXPECT_EQ(bracket(world, Pattern::stream), "11..12");
  EXPECT_EQ(bracket(world, Pattern::inbound), "30..Inf");
  EXPECT_EQ(bracket(world, Pattern::active), "20..Inf");
}

TEST(HoldLadder, ATimerOfJustTheHoldIsOverHoweverLateThePacketLeft) {
  // What a sender is late by is silence that a NAT does not see. Real Linux forgets a stream after just 120
  // s.
  Measured world(NatTimers{30s + 100ms, 30s + 100ms, 120s + 100ms});
  EXPECT_EQ(bracket(world, Pattern::solitary), "29..30");
  EXPECT_EQ(bracket(world, Pattern::stream), "119..120");
}

TEST(HoldLadder, AnAbsoluteLifetimeKillsWhatIsActive) {
  Measured world(NatTimers{0s, 0s, 0s, 4s});
  EXPECT_EQ(bracket(world, Pattern::stream), "0..1");
  EXPECT_EQ(bracket(world, Pattern::solitary), "3..4");
  EXPECT_EQ(bracket(world, Pattern::active), "3..4");
  EXPECT_EQ(bracket(world, Pattern::inbound), "3..4");
}

TEST(HoldLadder, OutboundOnlyRefreshShowsInTheTrain) {
  Measured world(NatTimers{4s, 4s, 4s, 0s, false});
  EXPECT_EQ(bracket(world, Pattern::inbound), "3..4");
  EXPECT_EQ(bracket(world, Pattern::active), "20..Inf");
}

/// Everything that is held when the NAT is restarted is lost at once, which looks like a shorter lifetime.
TEST(HoldLadder, ANatThatIsRestartedNowAndThenShrinksNoLifetime) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualLadder world(seed, {60s, 60s, 60s}, 0.01);
    world.allow(true);
    for (int restart = 0; restart < 100; ++restart) {
      for (int s = 0; s < 20 + restart % 7; ++s) {
        world.run_for(61s);
        const auto b = world.ladder().lifetime(Pattern::stream).believed();
        ASSERT_FALSE(b && b->proven(8) && *b->upper < 60s)
            << "seed " << seed << ": " << bracket(world, Pattern::stream);
      }
      world.nat.restart();
    }
  }
}

TEST(HoldLadder, AGenerousNatHasNoUpperBound) {
  Measured world(NatTimers{});
  for (const auto p : {Pattern::solitary, Pattern::exchange, Pattern::stream})
    EXPECT_EQ(bracket(world, p), "120..Inf");
}

TEST(HoldLadder, LossShrinksNoLifetime) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    VirtualLadder world(seed, {30s, 30s, 180s}, 0.05);
    world.allow(true);
    for (int i = 0; i < 24; ++i) {
      world.run_for(1h);
      const auto b = world.ladder().lifetime(Pattern::stream).believed();
      ASSERT_TRUE(b) << "seed " << seed;
      ASSERT_FALSE(b->upper && b->failures >= 8)
          << "seed " << seed << ": " << bracket(world, Pattern::stream);
    }
  }
}

TEST(HoldLadder, AShortStreamIsProvenWithinTheFirstBatches) {
  for (std::uint64_t seed = 1; seed <= seeds(50); ++seed) {
    Measured world(NatTimers{8s, 8s, 25s}, seed, 0.02, 6min);
    const auto b = world.ladder().lifetime(Pattern::stream).believed();
    ASSERT_TRUE(b && b->upper) << "seed " << seed;
    EXPECT_GE(b->failures, 8U) << "seed " << seed;
    EXPECT_LE(b->lower, 25s);
    EXPECT_GE(*b->upper, 25s);
  }
}

TEST(HoldLadder, InOneMinuteWhateverFailsIsProven) {
  struct Timed {
    Nanos timer, time;
    const char* bracket;
  };
  for (const auto& c : {Timed{1500ms, 30s, "1..2"}, Timed{4s, 35s, "2..5"}, Timed{6s, 45s, "5..10"},
                        Timed{11s, 55s, "10..15"}, Timed{200s, 30s, "15..Inf"}}) {
    for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
      VirtualLadder world(seed, {c.timer, c.timer, c.timer}, 0, true);
      world.allow(true);
      world.run_for(c.time);
      ASSERT_EQ(bracket(world, Pattern::stream), c.bracket) << to_seconds(c.timer) << " s, seed " << seed;
      EXPECT_TRUE(world.ladder().stream_known()) << to_seconds(c.timer) << " s, seed " << seed;
    }
  }
}

TEST(HoldLadder, FollowsANatThatChanges) {
  Measured world(NatTimers{30s, 30s, 180s});
  EXPECT_EQ(bracket(world, Pattern::stream), "120..Inf");
  world.nat.timers = {3s, 3s, 12s};
  world.run_for(40min);
  EXPECT_EQ(bracket(world, Pattern::stream), "11..12");
  world.nat.timers = {30s, 30s, 180s};
  world.run_for(40min);
  EXPECT_EQ(bracket(world, Pattern::stream), "120..Inf");
}

TEST(HoldLadder, StaysWithinItsFlowsPortsAndOctets) {
  Measured world(NatTimers{3s, 3s, 12s}, 1, 0, 24h);
  EXPECT_LE(world.most_open(), probe::HoldLadder::kMostFlows);
  EXPECT_LE(world.ports(), 24 * 12 * 20U);
  EXPECT_LE(world.octets(), 10'000'000U);  // beside 17 MB a day of the steady flow; the budget is 40
}

TEST(HoldLadder, AFailedControlVoidsTheBatch) {
  VirtualLadder world(1, {});
  world.allow(true);
  world.run_for(60s);
  world.nat.timers.returns = false;  // the path dies in the middle of the batch, and nobody has noticed yet
  world.run_for(10min);
  EXPECT_EQ(bracket(world, Pattern::stream), "none");
  EXPECT_GT(world.ladder().void_batches(), 0U);
  EXPECT_TRUE(world.ladder().counts().empty());
}

TEST(HoldLadder, WaitsWhileThePathIsBadAndLeavesNoFlowOpen) {
  VirtualLadder world(1, {});
  world.run_for(1h);
  EXPECT_EQ(world.ports(), 0U);
  world.allow(true);
  world.run_for(10s);
  EXPECT_GT(world.open(), 0U);
  world.allow(false);
  const auto ports = world.ports();
  world.run_for(1h);
  EXPECT_EQ(world.open(), 0U);
  EXPECT_EQ(world.ports(), ports);
}

TEST(HoldLadder, AReflectorThatWillNotHoldSaysNothing) {
  VirtualLadder world(1, {3s, 3s, 3s});
  world.reflector().holds = false;
  world.allow(true);
  world.run_for(1h);
  EXPECT_EQ(bracket(world, Pattern::solitary), "none");
  EXPECT_TRUE(world.ladder().refused());
  EXPECT_LE(world.ports(), 20U) << "asks again in six hours, not at once";
}

}  // namespace
}  // namespace ue::sim
