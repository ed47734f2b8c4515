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

}  // namespace
}  // namespace ue::probe
