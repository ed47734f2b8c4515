#include "probe/settlement.h"

#include <gtest/gtest.h>

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kInstance = 11;

class SettlementTest : public testing::Test {
 protected:
  static Now at(Nanos t) { return {Instant{} + t, WallTime{} + t, t}; }
  void SetUp() override { settlement_.learn_instance(kInstance, Instant{}, true); }
  void send(int count, bool named = true) {
    for (int i = 0; i < count; ++i, time_ += 1s) {
      flow_.record_sent(at(time_), named);
      settlement_.count_sent(FlowKind::steady);
    }
  }
  void answer(std::uint32_t sequence, std::uint32_t reflector_sequence) {
    const auto now = at(std::chrono::seconds(sequence) + 40ms);
    const auto a = flow_.record_answer(sequence, reflector_sequence, now, now.wall);
    ASSERT_EQ(a.arrival, Flow::Arrival::answered);
    settlement_.count_answer(a.kind, a.sent);
  }
  void expire(Nanos t) { flow_.expire(Instant{} + t, 300ms); }
  stamp::FlowReport report(std::initializer_list<std::uint32_t> received) const {
    stamp::FlowReport r;
    r.flow_id = flow_.flow_id;
    r.known = true;
    r.received = received.size();
    r.highest_sequence = std::max(received);
    for (const auto s : received) r.window.set(r.highest_sequence - s);
    return r;
  }
  void apply(const stamp::FlowReport& r, Nanos asked, std::uint64_t instance = kInstance) {
    settlement_.apply_report(flow_, r, instance, Instant{} + asked);
  }
  const FlowCounters& counters() const { return settlement_.counters(FlowKind::steady); }
  std::uint64_t settled() const {
    return counters().replies + counters().forward_lost + counters().return_lost +
           counters().unattributed_lost;
  }

  Flow flow_{1, 77, 5, Role::steady, Instant{}};
  Settlement settlement_;
  Nanos time_{};
};

TEST_F(SettlementTest, TheReflectorsWordTellsTheDirections) {
  send(5);
  answer(0, 0);
  expire(20s);
  apply(report({0, 1, 3}), 20s);
  EXPECT_EQ(counters().return_lost, 2U);
  EXPECT_EQ(counters().forward_lost, 2U);
  EXPECT_EQ(counters().delivered, 3U);
  EXPECT_EQ(settled(), counters().sent);
  apply(report({0, 1, 3}), 30s);  // told again: nothing is counted twice
  EXPECT_EQ(settled(), counters().sent);
}

TEST_F(SettlementTest, WhatMayStillArriveIsLeftOpen) {
  send(3);
  answer(0, 0);
  expire(20s);
  apply(report({0}), 3900ms);  // probe 1 is 2.9 s old, probe 2 only 1.9 s
  EXPECT_EQ(counters().forward_lost, 1U);
}

TEST_F(SettlementTest, AnotherInstanceConfirmsButDoesNotDeny) {
  send(4);
  answer(0, 0);
  expire(20s);
  apply(report({1}), 20s, 99);
  EXPECT_EQ(counters().return_lost, 1U);
  EXPECT_EQ(counters().forward_lost, 0U);
}

TEST_F(SettlementTest, AnInstanceSaysNothingAboutTheTimeBeforeIt) {
  send(4);
  expire(20s);
  settlement_.learn_instance(12, Instant{} + 2500ms, true);
  stamp::FlowReport unknown;
  unknown.flow_id = flow_.flow_id;
  apply(unknown, 20s, 12);
  EXPECT_EQ(counters().forward_lost, 1U);  // only the probe sent at 3 s
}

TEST_F(SettlementTest, AProbeThatNamesNoSessionIsDeniedOnlyWhereTheSessionWasKnown) {
  send(3, false);
  expire(20s);
  stamp::FlowReport unknown;
  unknown.flow_id = flow_.flow_id;
  apply(unknown, 20s);
  EXPECT_EQ(counters().forward_lost, 0U);
  apply(report({1}), 20s);  // known since probe 1: probe 0 may have been dropped as a stranger's
  EXPECT_EQ(counters().forward_lost, 1U);
  EXPECT_EQ(counters().return_lost, 1U);
}

TEST_F(SettlementTest, WhatFellOutOfTheWindowIsNotDenied) {
  send(1);
  expire(10s);
  auto r = report({400});
  apply(r, 500s);
  EXPECT_EQ(counters().forward_lost, 0U);
}

TEST_F(SettlementTest, WithoutAnAnswerTheCountersOfTwoRepliesTell) {
  settlement_.note_stateful();
  send(6);
  answer(0, 0);
  answer(5, 3);  // two replies between: two of the four probes arrived
  expire(20s);
  settlement_.sweep(flow_, Instant{} + 94s);
  EXPECT_EQ(settled(), 2U);
  settlement_.sweep(flow_, Instant{} + 95s);
  EXPECT_EQ(counters().return_lost, 2U);
  EXPECT_EQ(counters().forward_lost, 2U);
}

TEST_F(SettlementTest, AStatelessReflectorsCountersTellNothing) {
  send(3);
  answer(0, 0);
  answer(2, 2);
  expire(20s);
  settlement_.sweep(flow_, Instant{} + 95s);
  EXPECT_EQ(counters().unattributed_lost, 1U);
}

TEST_F(SettlementTest, MissingRepliesAloneAreNeverForwardLoss) {
  send(3);
  expire(20s);
  settlement_.sweep(flow_, Instant{} + 119s);
  EXPECT_EQ(settled(), 0U);
  settlement_.sweep(flow_, Instant{} + 122s);
  EXPECT_EQ(counters().unattributed_lost, 3U);
  EXPECT_EQ(counters().forward_lost, 0U);
}

TEST_F(SettlementTest, AVoidedWindowIsUnattributed) {
  send(3);
  answer(1, 0);
  settlement_.void_window(flow_);
  EXPECT_EQ(counters().unattributed_lost, 2U);
  EXPECT_TRUE(flow_.pending.empty());
  EXPECT_EQ(settlement_.take().size(), 3U);
  EXPECT_TRUE(settlement_.take().empty());
}

TEST_F(SettlementTest, LittleIsKeptOfAFlowThatWorks) {
  for (std::uint32_t i = 0; i < 50; ++i) {
    send(1);
    answer(i, i);
    settlement_.sweep(flow_, Instant{} + std::chrono::seconds(i));
  }
  EXPECT_LE(flow_.pending.size(), 1U);
}

TEST_F(SettlementTest, OnlyTheInstanceThatUdpReachedMayDeny) {
  EXPECT_TRUE(settlement_.denies_credibly(kInstance));
  settlement_.learn_instance(12, Instant{} + 5s, false);  // told over TCP
  EXPECT_FALSE(settlement_.denies_credibly(12));
  EXPECT_FALSE(settlement_.denies_credibly(kInstance));
  Settlement untouched;
  untouched.learn_instance(12, Instant{}, false);  // UDP may be blocked altogether
  EXPECT_TRUE(untouched.denies_credibly(12));
}

}  // namespace
}  // namespace ue::probe
