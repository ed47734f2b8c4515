#include "probe/mapping_lifetime.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace ue::probe
