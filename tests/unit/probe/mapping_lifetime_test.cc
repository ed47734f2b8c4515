#include "probe/mapping_lifetime.h"

#include <gtest/gtest.h>

#include <random>

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

TEST(OwnBound, IsOneThatIsNotSurvivedAndNotUndercut) {
  const MappingLifetime::Bracket bracket{8s, 12s, 9};
  EXPECT_TRUE(is_own_bound(bracket, 10s));
  EXPECT_TRUE(is_own_bound(bracket, 12s));
  EXPECT_FALSE(is_own_bound(bracket, 8s)) << "a hold of 8 s came back";
  EXPECT_FALSE(is_own_bound(bracket, 30s)) << "a carrier forgets sooner";
  EXPECT_FALSE(is_own_bound({120s, std::nullopt, 0}, 120s)) << "nothing failed";
  EXPECT_TRUE(is_own_bound({9s, 9900ms, 9}, 10s)) << "a reply is on its way for a while after its hold";
}

TEST(OwnBound, EachPatternHasItsTimeout) {
  const TrackerTimeouts own{30s, 120s};
  EXPECT_EQ(governing(Pattern::solitary, own), Nanos(30s));
  EXPECT_EQ(governing(Pattern::exchange, own), Nanos(30s));
  EXPECT_EQ(governing(Pattern::stream, own), Nanos(120s));
  EXPECT_FALSE(governing(Pattern::inbound, own));
  EXPECT_FALSE(governing(Pattern::active, own));
}

/// A bound is proven at three different times, by as many failures as are no chance.
TEST(MappingLifetime, WhatSpeaksForALongBoundSpeaksForNoShorterOne) {
  MappingLifetime l;
  l.record(59s, true, 1);
  for (std::uint32_t batch = 2; batch <= 4; ++batch) {
    for (int i = 0; i < 4; ++i) l.record(60s, false, batch);
  }
  ASSERT_TRUE(l.bracket() && l.bracket()->proven(8));
  EXPECT_EQ(l.bracket()->lower, 59s);
  // Once the NAT is restarted while all wait: nothing is proven by that.
  l.contradict(30s, 60s);
  for (const auto hold : {60s, 59s, 30s}) {
    for (int i = 0; i < 2; ++i) l.record(hold, false, 5);
  }
  l.record(20s, true, 5);
  ASSERT_TRUE(l.bracket());
  EXPECT_EQ(l.bracket()->upper, Nanos(30s));
  EXPECT_FALSE(l.bracket()->proven(8));
}

/// 19 s are survived and 20 s are not, which is no chance.
class KnownLifetime : public testing::Test {
 protected:
  KnownLifetime() {
    for (std::uint32_t batch = 1; batch <= 4; ++batch) {
      record(19s, true, 2, batch);
      record(20s, false, 2, batch);
      l_.conclude(8);
    }
  }
  void record(Nanos hold, bool came_back, int times, std::uint32_t batch) {
    for (int i = 0; i < times; ++i) l_.record(hold, came_back, batch);
  }
  void expect_believed(Nanos lower, Nanos upper) const {
    ASSERT_TRUE(l_.believed() && l_.believed()->upper);
    EXPECT_EQ(l_.believed()->lower, lower);
    EXPECT_EQ(l_.believed()->upper, upper);
    EXPECT_TRUE(l_.believed()->no_chance());
  }
  MappingLifetime l_;
};

TEST_F(KnownLifetime, StandsAlthoughTheLineLosesMoreMeanwhile) {
  EXPECT_TRUE(l_.believed()->proven(40));
  l_.conclude(40);
  expect_believed(19s, 20s);
}

TEST_F(KnownLifetime, StandsWhileItIsDoubtedAndAfterThat) {
  l_.doubt(19s, Nanos(20s));
  record(19s, false, 2, 5);
  l_.conclude(8);
  EXPECT_EQ(l_.bracket()->upper, Nanos(19s));
  expect_believed(19s, 20s);
  record(19s, true, 3, 6);
  l_.conclude(8);
  expect_believed(19s, 20s);
  EXPECT_EQ(l_.bracket()->upper, Nanos(20s)) << "what failed before is known again";
}

TEST_F(KnownLifetime, StandsWhileTwoOfThreeMayBeChance) {
  for (std::uint32_t batch = 5; batch <= 6; ++batch) {
    record(19s, true, 1, batch);
    record(19s, false, 1, batch);
  }
  l_.conclude(8);
  EXPECT_EQ(l_.bracket()->upper, Nanos(19s));
  expect_believed(19s, 20s);
}

TEST_F(KnownLifetime, GivesWayToAShorterOneThatIsNoChance) {
  l_.doubt(19s, Nanos(20s));
  record(10s, true, 2, 5);
  for (std::uint32_t batch = 5; batch <= 7; ++batch) {
    expect_believed(19s, 20s);
    record(19s, false, 3, batch);
    l_.conclude(8);
  }
  expect_believed(10s, 19s);
}

TEST_F(KnownLifetime, GivesWayWhereTheDoubtCannotBeSettled) {
  l_.doubt(19s, Nanos(20s));
  record(19s, false, 2, 5);
  l_.conclude(8);
  l_.settle();
  EXPECT_EQ(l_.believed()->upper, Nanos(19s));
  EXPECT_FALSE(l_.believed()->no_chance());
}

TEST_F(KnownLifetime, IsForgottenWithTheNetwork) {
  l_.clear();
  EXPECT_FALSE(l_.believed());
  record(19s, true, 2, 5);
  record(20s, false, 9, 5);
  l_.conclude(8);
  EXPECT_FALSE(l_.believed()->no_chance()) << "one batch";
}

/// One is asked after every step, of the other only a copy is, which has nothing to remember.
TEST(MappingLifetime, WhatIsAskedOftenSaysTheSame) {
  std::mt19937 dice(5);
  const auto hold = [&] { return Nanos(std::chrono::seconds(10 * (1 + dice() % 6))); };
  MappingLifetime asked;
  MappingLifetime never;
  const auto both = [&](const auto& change) {
    change(asked);
    change(never);
  };
  int told = 0;
  for (int step = 0; step < 5000; ++step) {
    const auto h = hold();
    const auto other = hold();
    switch (dice() % 64) {
      case 0:
        both([](auto& l) { l.clear(); });
        break;
      case 1:
        both([&](auto& l) { l.forget_from(h); });
        break;
      case 2:
        both([&](auto& l) { l.forget_longer(h); });
        break;
      case 3:
        both([&](auto& l) { l.contradict(h, other); });
        break;
      case 4:
        both([&](auto& l) { l.set_batches_needed(2 + step % 2); });
        break;
      default:
        both([&, back = Nanos(std::chrono::seconds(dice() % 60)) > h](auto& l) {
          l.record(h, back, static_cast<std::uint32_t>(step / 7));
        });
    }
    const auto copy = never;
    const auto& a = asked.bracket();
    const auto& b = copy.bracket();
    ASSERT_EQ(a.has_value(), b.has_value()) << step;
    if (!a) continue;
    ++told;
    ASSERT_EQ(a->lower, b->lower) << step;
    ASSERT_EQ(a->upper, b->upper) << step;
    ASSERT_EQ(a->failures, b->failures) << step;
    ASSERT_EQ(a->batches, b->batches) << step;
    ASSERT_EQ(a->batches_needed, b->batches_needed) << step;
  }
  EXPECT_GT(told, 1000);
}

TEST(MappingLifetime, HowManyBatchesAreNeededIsOfNow) {
  MappingLifetime l;
  l.record(10s, true, 1);
  for (std::uint32_t batch = 2; batch <= 3; ++batch) {
    for (int i = 0; i < 4; ++i) l.record(20s, false, batch);
  }
  ASSERT_TRUE(l.bracket());
  EXPECT_FALSE(l.bracket()->proven(8));
  l.set_batches_needed(2);
  EXPECT_TRUE(l.bracket()->proven(8));
}

}  // namespace
}  // namespace ue::probe
