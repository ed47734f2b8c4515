// The simulation itself: what it plays, and in which order.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sim/virtual_path.h"

namespace ue::sim {
namespace {

using namespace std::chrono_literals;

TEST(Agenda, WhatIsDueTogetherHappensInTheOrderOfAdding) {
  std::mt19937 dice(3);
  Agenda<int> agenda;
  std::vector<std::pair<Instant, int>> expected;
  Instant now{};
  int next = 0;
  EXPECT_EQ(agenda.next(), Instant::max());
  for (int step = 0; step < 5000; ++step) {
    for (auto n = dice() % 3; n > 0; --n) {
      const auto at = now + std::chrono::seconds(dice() % 12);
      agenda.add(at, next);
      const auto later = [](const auto& a, const auto& b) { return a.first < b.first; };
      const std::pair due{at, next++};
      expected.insert(std::upper_bound(expected.begin(), expected.end(), due, later), due);
    }
    if (expected.empty() || dice() % 4 == 0) continue;
    ASSERT_EQ(agenda.next(), expected.front().first);
    now = agenda.next();
    ASSERT_EQ(agenda.take(), expected.front().second);
    expected.erase(expected.begin());
  }
}

TEST(VirtualPath, WhatACallerDoesBetweenTwoRunsIsCarriedOutThen) {
  VirtualPath path(1);
  path.checks_size = true;
  path.run_for(100s);
  EXPECT_EQ(path.context.size, true);
  const auto before = path.ports().size();
  path.restart();
  EXPECT_EQ(path.ports().size(), before + 1) << "the new steady flow";
  path.run_for(500ms);
  EXPECT_FALSE(path.context.size) << "of the new network nothing is known";
}

// Parts are asked only once they were called: who is forgotten there is played late.
TEST(VirtualPath, EveryPartThatIsCalledIsAskedAgain) {
  VirtualPath::Options options{5};
  options.holds = {1s, 2s, 5s, 10s, 20s, 30s};
  VirtualPath path(options);
  path.checks_size = true;
  path.out.loss = .03;
  path.back.jitter = 50ms;
  int untrue = 0;
  path.every(70ms, [&] { untrue += path.remembers_truly() ? 0 : 1; });
  path.at(20min, [&] { path.out.largest = 1200; });
  path.at(40min, [&] { path.cut(true); });
  path.at(44min, [&] { path.cut(false); });
  path.at(60min, [&] { path.suspend(100s); });
  path.at(70min, [&] { path.restart(); });
  path.at(80min, [&] { path.back.loss = 1; });
  path.run_for(100min);
  EXPECT_EQ(untrue, 0);
  EXPECT_GT(path.changes().size(), 4U) << path.story();
}

TEST(VirtualPath, SaysNothingOfAFlowThatNeverSent) {
  VirtualPath path(1);
  path.run_for(10s);
  EXPECT_EQ(path.opened(1), Nanos(0s));
  EXPECT_THROW((void)path.opened(1000), std::bad_optional_access);
}

}  // namespace
}  // namespace ue::sim
