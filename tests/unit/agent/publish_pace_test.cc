#include "agent/publish_pace.h"

#include <gtest/gtest.h>

namespace ue::agent {
namespace {

using namespace std::chrono_literals;

TEST(PublishPace, LetsAChangeThroughAtOnceAndFourInASecondAtMost) {
  PublishPace pace;
  Instant now{0s};
  EXPECT_TRUE(pace.allows(now)) << "also right after the machine's start";
  pace.note(now);
  EXPECT_TRUE(pace.allows(now + 1ms)) << "a publication a moment ago delays nobody";
  for (int i = 0; i < 3; ++i) pace.note(now += 10ms);
  EXPECT_FALSE(pace.allows(now + 1ms));
  EXPECT_FALSE(pace.allows(Instant(999ms)));
  EXPECT_TRUE(pace.allows(Instant(1s)));
}

TEST(PublishPace, HoldsInAnySecondHoweverManyWantIn) {
  PublishPace pace;
  int published = 0;
  for (Instant now{0s}; now < Instant(10s); now += 1ms) {
    if (!pace.allows(now)) continue;
    pace.note(now);
    ++published;
  }
  EXPECT_EQ(published, 40);
}

}  // namespace
}  // namespace ue::agent
