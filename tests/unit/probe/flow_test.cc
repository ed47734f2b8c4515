#include "probe/flow.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace ue::probe {
namespace {

using namespace std::chrono_literals;
using Arrival = Flow::Arrival;

constexpr Nanos kTimeout = 300ms;

class FlowTest : public testing::Test {
 protected:
  Now at(Nanos t) const { return {Instant{} + t, WallTime{} + 1000h + t + wall_, t}; }
  std::uint32_t send(Nanos t) { return flow_.record_sent(at(t), true); }
  Flow::Answer answer(std::uint32_t sequence, Nanos t) {
    return flow_.record_answer(sequence, sequence, at(t), at(t).wall);
  }
  std::uint32_t expire(Nanos t) { return flow_.expire(Instant{} + t, kTimeout); }

  Flow flow_{1, 77, 5, Role::steady, Instant{}};
  Nanos wall_{};
};

TEST_F(FlowTest, CountsSequenceNumbersAndRoundTripTimes) {
  EXPECT_EQ(send(0s), 0U);
  EXPECT_EQ(send(1s), 1U);
  const auto a = answer(0, 40ms);
  EXPECT_EQ(a.arrival, Arrival::answered);
  EXPECT_EQ(a.rtt, Nanos(40ms));
  EXPECT_EQ(a.sent, Instant{});
  EXPECT_EQ(a.kind, FlowKind::steady);
}

TEST_F(FlowTest, TellsWhatItCannotBelieve) {
  send(0s);
  EXPECT_EQ(answer(1, 1ms).arrival, Arrival::never_sent);
  EXPECT_EQ(answer(0, 2ms).arrival, Arrival::answered);
  EXPECT_EQ(answer(0, 3ms).arrival, Arrival::duplicate);
  flow_.pending.clear();
  EXPECT_EQ(answer(0, 4ms).arrival, Arrival::settled);
  EXPECT_EQ(flow_.answers(), 1U);
}

TEST_F(FlowTest, ThrowsAwayARoundTripTimeThatSpansAClockStep) {
  send(0s);
  wall_ = -5s;
  EXPECT_FALSE(answer(0, 40ms).rtt);
  send(1s);
  EXPECT_EQ(answer(1, 1040ms).rtt, Nanos(40ms));
}

TEST_F(FlowTest, UsesTheKernelsTransmitTimestamp) {
  send(0s);
  flow_.record_transmit_time(0, at(15ms).wall);
  EXPECT_EQ(answer(0, 40ms).rtt, Nanos(25ms));
}

TEST_F(FlowTest, LossesInARow) {
  for (auto t = 0s; t < 5s; t += 1s) send(t);
  answer(0, 10ms);
  EXPECT_EQ(expire(1299ms), 0U);
  EXPECT_EQ(expire(1300ms), 1U);
  EXPECT_EQ(expire(10s), 3U);
  EXPECT_EQ(flow_.loss_run(), 4U);
  EXPECT_EQ(flow_.resolved(), 5U);
  EXPECT_EQ(flow_.first_loss(), Instant{} + 1s);
  EXPECT_EQ(flow_.dead_age(), Nanos(1s));
  EXPECT_EQ(flow_.answered_age(), Nanos(0s));
  EXPECT_EQ(flow_.newest_missing(), Instant{} + 4s);
  EXPECT_EQ(flow_.pending[3].run_position, 2U);
}

TEST_F(FlowTest, AnAnswerEndsTheRunAndSaysHowLongItWas) {
  for (auto t = 0s; t < 4s; t += 1s) send(t);
  answer(0, 10ms);
  expire(2500ms);
  const auto a = answer(3, 3010ms);
  EXPECT_EQ(a.ended_run, 2U);
  EXPECT_EQ(flow_.loss_run(), 0U);
  EXPECT_EQ(flow_.answer_run(), 1U);
  EXPECT_FALSE(flow_.first_loss());
}

TEST_F(FlowTest, ALateAnswerIsNoLoss) {
  for (auto t = 0s; t < 3s; t += 1s) send(t);
  answer(0, 10ms);
  expire(10s);
  const auto a = answer(1, 10s);  // 2 is still missing
  EXPECT_EQ(a.arrival, Arrival::answered);
  EXPECT_EQ(a.ended_run, 0U);
  EXPECT_EQ(flow_.loss_run(), 1U);
  EXPECT_EQ(flow_.first_loss(), Instant{} + 2s);
}

TEST_F(FlowTest, ReorderedAnswersDoNotTouchTheRun) {
  for (auto t = 0s; t < 3s; t += 1s) send(t);
  answer(1, 1010ms);
  answer(0, 1020ms);
  EXPECT_EQ(flow_.highest_answered(), 1U);
  EXPECT_EQ(flow_.answered_age(), Nanos(1s));
  expire(10s);
  EXPECT_EQ(flow_.loss_run(), 1U);
}

TEST_F(FlowTest, SaysWhenItExpiresNext) {
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant::max());
  send(0s);
  send(1s);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant{} + 300ms);
  answer(0, 10ms);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant{} + 1300ms);
  expire(2s);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant::max());
}

TEST_F(FlowTest, WhatWasSentTogetherExpiresTogether) {
  for (int i = 0; i < 3; ++i) send(1s);
  send(2s);
  answer(0, 1010ms);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant{} + 1300ms) << "two others were sent in the same moment";
  answer(2, 1020ms);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant{} + 1300ms);
  EXPECT_EQ(expire(1300ms), 1U);
  EXPECT_TRUE(flow_.pending[1].missing);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant{} + 2300ms);
}

TEST_F(FlowTest, ALateAnswerDoesNotHideWhatStillWaits) {
  for (auto t = 0s; t < 3s; t += 1s) send(t);
  EXPECT_EQ(expire(1s), 1U);
  answer(0, 1010ms);  // late
  answer(2, 2010ms);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant{} + 1300ms);
  EXPECT_EQ(expire(3s), 1U);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant::max());
}

TEST_F(FlowTest, WhatWasTakenAwayIsNotWaitedForLonger) {
  send(0s);
  send(1s);
  flow_.pending.clear();
  send(2s);
  EXPECT_LE(flow_.next_expiry(kTimeout), Instant{} + 2300ms) << "too early is no harm";
  EXPECT_EQ(expire(1s), 0U);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant{} + 2300ms);
  EXPECT_EQ(expire(3s), 1U);
  send(4s);
  flow_.pending.clear();
  EXPECT_EQ(expire(5s), 0U);
  EXPECT_EQ(flow_.next_expiry(kTimeout), Instant::max());
}

/// Played beside a list in which everything is looked for from its beginning: several probes at one moment,
/// answers in any order, late, twice or never, a time-out that follows the round trip, and what is decided
/// settled out of the middle.
TEST_F(FlowTest, FindsWhatALookAtEveryProbeWouldFind) {
  std::mt19937 dice(7);
  const auto roll = [&](std::uint32_t sides) { return static_cast<std::uint32_t>(dice() % sides); };
  std::vector<Pending> all;  // as they should be
  const auto waits = [](const Pending& p) { return !p.missing && !p.answered; };
  Nanos now{};
  for (int step = 0; step < 20'000; ++step) {
    now += roll(3) == 0 ? Nanos(0s) : Nanos(std::chrono::milliseconds(roll(400)));
    const Nanos timeout = std::chrono::milliseconds(300 + 100 * roll(8));
    if (roll(2) == 0) {
      Pending p;
      p.sequence = send(now);
      p.sent = at(now).mono;
      all.push_back(p);
    }
    if (flow_.sent() > 0 && roll(2) == 0) {
      const auto sequence = flow_.sent() - 1 - roll(std::min(flow_.sent(), 12U));
      const auto p =
          std::find_if(all.begin(), all.end(), [&](const auto& x) { return x.sequence == sequence; });
      const auto arrival = p == all.end() ? Arrival::settled
                           : p->answered  ? Arrival::duplicate
                                          : Arrival::answered;
      ASSERT_EQ(answer(sequence, now).arrival, arrival) << step;
      if (p != all.end()) p->answered = true;
    }
    if (roll(4) == 0) {
      std::uint32_t lost = 0;
      for (auto& p : all) {
        if (!waits(p) || p.sent + timeout > at(now).mono) continue;
        p.missing = true;
        ++lost;
      }
      ASSERT_EQ(flow_.expire(at(now).mono, timeout), lost) << step;
    }
    if (roll(8) == 0) {
      const auto settled = [&, part = roll(5)](const Pending& p) {
        return !waits(p) && p.sequence % 5 != part;
      };
      std::erase_if(all, settled);
      std::erase_if(flow_.pending, settled);
    }
    const auto first = std::find_if(all.begin(), all.end(), waits);
    ASSERT_EQ(flow_.next_expiry(timeout), first == all.end() ? Instant::max() : first->sent + timeout)
        << step;
    ASSERT_EQ(flow_.pending.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      ASSERT_EQ(flow_.pending[i].missing, all[i].missing) << step;
      ASSERT_EQ(flow_.pending[i].answered, all[i].answered) << step;
    }
  }
  EXPECT_GT(flow_.answers(), 1000U);
  EXPECT_GT(flow_.resolved(), flow_.answers());
}

TEST_F(FlowTest, AProbeIsCountedAsWhatTheFlowWasThen) {
  Flow f{2, 78, 6, Role::trial, Instant{}};
  f.record_sent(at(0s), true);
  f.role = Role::steady;
  EXPECT_EQ(f.record_answer(0, 0, at(1ms), at(1ms).wall).kind, FlowKind::fresh);
  EXPECT_EQ(f.kind(), FlowKind::steady);
}

}  // namespace
}  // namespace ue::probe
