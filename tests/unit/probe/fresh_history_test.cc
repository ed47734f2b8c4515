#include "probe/fresh_history.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

class FreshHistoryTest : public testing::Test {
 protected:
  Flow& open() {
    const auto handle = static_cast<FlowHandle>(flows_.size() + 1);
    flows_.push_back(std::make_unique<Flow>(handle, handle, std::uint16_t{1}, Role::fresh, Instant{}));
    history_.opened(*flows_.back());
    return *flows_.back();
  }
  void lose(Flow& flow, int probes) {
    for (int i = 0; i < probes; ++i) flow.record_sent({}, true);
    flow.expire(Instant{} + 10s, 1s);
    history_.update(flow);
  }
  void reply(Flow& flow) {
    const auto sequence = flow.record_sent({}, true);
    flow.record_answer(sequence, sequence, {}, {});
    history_.update(flow);
  }

  std::vector<std::unique_ptr<Flow>> flows_;
  FreshHistory history_;
};

TEST_F(FreshHistoryTest, KnowsNothingAtFirst) {
  EXPECT_FALSE(history_.answered(5));
  open();
  EXPECT_FALSE(history_.answered(5));
}

TEST_F(FreshHistoryTest, OneAnswerMakesAFlowAlive) {
  auto& f = open();
  lose(f, 2);
  reply(f);
  lose(f, 9);
  EXPECT_EQ(history_.answered(5), true);
}

TEST_F(FreshHistoryTest, ThreeDeadFlowsInARowWithEnoughLosses) {
  reply(open());
  lose(open(), 3);
  lose(open(), 3);
  EXPECT_FALSE(history_.answered(5));
  lose(open(), 2);  // undecided
  EXPECT_FALSE(history_.answered(5));
  lose(*flows_.back(), 1);
  EXPECT_EQ(history_.answered(5), false);
  EXPECT_EQ(history_.dead_in_a_row(), 3U);
  EXPECT_EQ(history_.losses_in_a_row(), 9U);
  EXPECT_FALSE(history_.answered(10)) << "a lossy path needs more";
  reply(open());
  EXPECT_EQ(history_.answered(5), true);
  EXPECT_EQ(history_.dead_in_a_row(), 0U);
}

TEST_F(FreshHistoryTest, AFlowThatEndsUndecidedSaysNothing) {
  for (int i = 0; i < 3; ++i) lose(open(), 3);
  auto& f = open();
  lose(f, 1);
  history_.closed(f);
  EXPECT_EQ(history_.answered(5), false);
  history_.closed(*flows_[0]);  // decided: stays
  EXPECT_EQ(history_.dead_in_a_row(), 3U);
}

TEST_F(FreshHistoryTest, WhatDiedWhileEverythingWasSilentIsForgiven) {
  reply(open());
  for (int i = 0; i < 3; ++i) lose(open(), 3);
  history_.forgive();
  EXPECT_EQ(history_.answered(5), true);
  EXPECT_EQ(history_.dead_in_a_row(), 0U);
  lose(*flows_.back(), 3);  // goes on being silent, and is not remembered
  EXPECT_EQ(history_.dead_in_a_row(), 0U);
}

TEST_F(FreshHistoryTest, IsBounded) {
  for (int i = 0; i < 50; ++i) lose(open(), 3);
  EXPECT_EQ(history_.dead_in_a_row(), 16U);
}

}  // namespace
}  // namespace ue::probe
