#include "alert/growth.h"

#include <gtest/gtest.h>

namespace ue::alert {
namespace {

using namespace std::chrono_literals;

constexpr Instant kBegin{1000s};

TEST(Growth, IsCountedOverTheWindowOnly) {
  Growth growth;
  for (int second = 0; second <= 600; second += 5)
    growth.observe("c", static_cast<std::uint64_t>(second / 60), kBegin + std::chrono::seconds(second));
  const Instant now = kBegin + 600s;
  EXPECT_EQ(growth.over("c", 5min, now), 5u);
  EXPECT_EQ(growth.over("c", 15min, now), 10u) << "since it was first seen";
  EXPECT_EQ(growth.over("nobody's", 5min, now), 0u);
}

TEST(Growth, WhatACounterHadAtFirstSightIsOld) {
  Growth growth;
  growth.observe("c", 100, kBegin);
  EXPECT_EQ(growth.over("c", 5min, kBegin), 0u);
  growth.observe("c", 101, kBegin + 1s);
  EXPECT_EQ(growth.over("c", 5min, kBegin + 1s), 1u);
}

TEST(Growth, ACounterThatWentBackBeganAnew) {
  Growth growth;
  growth.observe("c", 7, kBegin);
  growth.observe("c", 2, kBegin + 5s);
  EXPECT_EQ(growth.over("c", 5min, kBegin + 5s), 2u);
}

TEST(Growth, WhoIsNotSeenIsForgotten) {
  Growth growth;
  growth.observe("a", 1, kBegin);
  growth.observe("a", 2, kBegin + 5s);
  growth.observe("b", 1, kBegin + 10s);
  growth.forget_unseen(kBegin + 10s);
  growth.observe("a", 5, kBegin + 15s);
  EXPECT_EQ(growth.over("a", 5min, kBegin + 15s), 0u);
}

}  // namespace
}  // namespace ue::alert
