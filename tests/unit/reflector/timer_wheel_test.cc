#include "reflector/timer_wheel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace ue::reflector {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{std::chrono::hours(5)};

TEST(TimerWheel, EverythingIsDueOnceAndWithinATick) {
  TimerWheel wheel(5000);
  std::mt19937_64 random(1);
  std::map<std::uint32_t, Instant> due;
  for (int i = 0; i < 5000; ++i) {
    const Instant at = kStart + Nanos(random() % 600'000'000'000);
    const auto name = wheel.add(kStart, at);
    ASSERT_TRUE(name);
    ASSERT_TRUE(due.emplace(*name, at).second) << "a name is given twice";
  }
  EXPECT_FALSE(wheel.add(kStart, kStart + 1s)) << "full";
  Instant now = kStart;
  while (const auto next = wheel.next()) {
    now = std::max(now, *next);
    while (const auto name = wheel.take(now)) {
      ASSERT_GE(now - due.at(*name), -TimerWheel::kTick);
      ASSERT_LE(now - due.at(*name), TimerWheel::kTick);
      due.erase(*name);
    }
    now += 1ms;
  }
  EXPECT_TRUE(due.empty());
  EXPECT_EQ(wheel.size(), 0U);
}

TEST(TimerWheel, NothingIsLostOverALongSleep) {
  TimerWheel wheel(100);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(wheel.add(kStart, kStart + i * 5s));
  int taken = 0;
  while (wheel.take(kStart + 3h)) ++taken;
  EXPECT_EQ(taken, 100);
  EXPECT_TRUE(wheel.add(kStart + 3h, kStart + 3h + 1s)) << "names are free again";
}

TEST(TimerWheel, WhatIsAddedForNowIsDueNow) {
  TimerWheel wheel(2);
  ASSERT_TRUE(wheel.add(kStart, kStart + 10s));
  EXPECT_FALSE(wheel.take(kStart));
  ASSERT_TRUE(wheel.add(kStart, kStart - 1s));
  EXPECT_TRUE(wheel.take(kStart));
  EXPECT_FALSE(wheel.take(kStart));
  EXPECT_TRUE(wheel.take(kStart + 10s));
}

TEST(TimerWheel, RefusesWhatIsTooFarAway) {
  TimerWheel wheel(2);
  ASSERT_TRUE(wheel.add(kStart, kStart));
  while (wheel.take(kStart)) {
  }
  ASSERT_TRUE(wheel.add(kStart, kStart + 1s));
  EXPECT_FALSE(wheel.add(kStart, kStart + 1s + 2 * TimerWheel::kSpan));
}

}  // namespace
}  // namespace ue::reflector
