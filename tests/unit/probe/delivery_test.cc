#include "probe/delivery.h"

#include <gtest/gtest.h>

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

class DeliveryTest : public testing::Test {
 protected:
  static Now at(Nanos t) { return {Instant{} + t, WallTime{} + t, t}; }
  void SetUp() override {
    for (auto t = 0s; t < 20s; t += 1s) flow_.record_sent(at(t), true);
    flow_.record_answer(4, 4, at(4040ms), at(4040ms).wall);
    flow_.expire(Instant{} + 60s, 300ms);
  }
  stamp::FlowReport report(std::uint32_t highest) const {
    stamp::FlowReport r;
    r.flow_id = flow_.flow_id;
    r.known = true;
    r.received = highest + 1;
    r.highest_sequence = highest;
    for (std::uint32_t i = 0; i <= highest; ++i) r.window.set(i);
    return r;
  }
  void tell(Nanos asked, const stamp::FlowReport& r, bool credible = true, Nanos instance_since = {}) {
    delivery_.begin({Instant{} + asked + 100ms, Instant{} + asked, credible, Instant{} + instance_since,
                     flow_.first_loss()});
    delivery_.add(flow_, r, true);
  }
  /// A first answer, which denies one probe: what was sent from 6.6 s on was sent while TCP was known to
  /// work.
  void begin_denying(bool credible = true) { tell(6500ms, report(4), credible); }
  std::optional<bool> arrived(Nanos now, std::uint32_t needed = 8) const {
    return delivery_.arrived(Instant{} + now, flow_.first_loss(), needed);
  }

  Flow flow_{1, 77, 5, Role::steady, Instant{}};
  Delivery delivery_;
};

TEST_F(DeliveryTest, NobodyToldAnything) { EXPECT_FALSE(arrived(1s)); }

TEST_F(DeliveryTest, TheUnansweredProbesDidArrive) {
  tell(21s, report(19));
  EXPECT_EQ(arrived(22s), true);
  EXPECT_EQ(delivery_.delivered(), 15U);  // 5 to 19: what came before was answered
  EXPECT_TRUE(delivery_.proves(flow_.first_loss(), 15));
  EXPECT_FALSE(delivery_.denying_since());
}

TEST_F(DeliveryTest, NoneDid) {
  begin_denying();
  tell(21s, report(4));
  EXPECT_EQ(arrived(22s), false);
  EXPECT_EQ(delivery_.delivered(), 0U);
  EXPECT_FALSE(arrived(22s, 16)) << "too few for a lossy path";
}

TEST_F(DeliveryTest, WhatWasSentBeforeTcpWasKnownToWorkMayHaveBeenLostInAnOutage) {
  tell(21s, report(4));
  EXPECT_FALSE(arrived(22s));
  tell(23s, report(4));  // nothing was sent since
  EXPECT_FALSE(arrived(24s));
}

TEST_F(DeliveryTest, AnArrivalSinceThenEndsTheDenial) {
  begin_denying();
  auto r = report(18);
  for (std::uint32_t back = 0; back < 14; ++back) r.window.reset(back);
  r.window.set(11);  // 7, sent at 7 s
  tell(21s, r);
  EXPECT_FALSE(arrived(22s));
  EXPECT_FALSE(delivery_.denying_since());
}

TEST_F(DeliveryTest, OnceTheyDidAndThenNoLonger) {
  begin_denying();
  tell(21s, report(6));  // the newest thirteen did not
  EXPECT_EQ(arrived(22s), false);
  EXPECT_EQ(delivery_.delivered(), 2U);
}

TEST_F(DeliveryTest, StragglersAreWaitedFor) {
  tell(12500ms, report(11));  // 12 to 19 are too young, or not even sent then
  EXPECT_EQ(arrived(13s, 7), true);
  EXPECT_FALSE(arrived(13s)) << "seven may be chance";
}

TEST_F(DeliveryTest, AStrangerOrANewcomerDeniesNothing) {
  begin_denying();
  tell(21s, report(4), false);
  EXPECT_FALSE(arrived(22s));
  begin_denying();
  tell(21s, report(4), true, 15s);
  EXPECT_FALSE(arrived(22s));  // five denials
  EXPECT_EQ(arrived(22s, 5), false);
}

TEST_F(DeliveryTest, TwoProbesThatArrivedMayHaveLostTheirRepliesByChance) {
  tell(7500ms, report(6));
  EXPECT_EQ(delivery_.delivered(), 2U);
  EXPECT_NE(arrived(8s), true);
}

TEST_F(DeliveryTest, TheFewThatArriveAfterAnOutageMayHaveLostTheirRepliesByChance) {
  auto r = report(19);
  for (std::uint32_t back = 4; back < 15; ++back) r.window.reset(back);  // 5 to 15 were sent into the outage
  tell(21s, r);
  EXPECT_EQ(delivery_.delivered(), 4U);
  EXPECT_FALSE(arrived(22s));
  EXPECT_EQ(arrived(22s, 4), true) << "where four are no chance";
}

TEST_F(DeliveryTest, AnAnswerAboutAnotherSilenceSaysNothing) {
  tell(21s, report(19));
  EXPECT_FALSE(delivery_.arrived(Instant{} + 22s, Instant{} + 15s, 8)) << "four probes since then";
  EXPECT_FALSE(delivery_.arrived(Instant{} + 22s, std::nullopt, 8));
}

TEST_F(DeliveryTest, ManyArrivalsInARowProveItOnWhateverFlow) {
  const auto tell_beside = [&](std::optional<Instant> answered) {
    delivery_.begin({Instant{} + 21s, Instant{} + 21s, true, Instant{}, flow_.first_loss(), answered});
    delivery_.add(flow_, report(19), false);
  };
  tell_beside({});
  EXPECT_EQ(arrived(22s), true);
  EXPECT_FALSE(arrived(22s, 16)) << "fifteen may be chance";
  tell_beside(Instant{} + 12s);
  EXPECT_FALSE(arrived(22s)) << "something was answered meanwhile";
}

/// Six of the newest are looked at in each: of those that stand for a tunnel half must have arrived, all
/// together.
TEST_F(DeliveryTest, FlowsOfOneSilenceTellOfItTogether) {
  auto lately_lost = report(19);
  for (std::size_t i = 0; i < 4; ++i) lately_lost.window.reset(i);
  tell(21s, lately_lost);
  EXPECT_FALSE(arrived(22s)) << "two of the newest six";
  delivery_.add(flow_, report(19), true);
  EXPECT_EQ(arrived(22s), true) << "eight of twelve";
  delivery_.add(flow_, report(4), true);
  delivery_.add(flow_, report(4), false);
  EXPECT_FALSE(arrived(22s)) << "eight of eighteen";
}

TEST_F(DeliveryTest, WhatIsKnownForLongStandsOnAFifth) {
  auto lately_lost = report(19);
  for (std::size_t i = 0; i < 4; ++i) lately_lost.window.reset(i);
  const auto tell_again = [&] {
    delivery_.begin({Instant{} + 21s, Instant{} + 21s, true, Instant{}, flow_.first_loss(), {}, true});
    delivery_.add(flow_, lately_lost, true);
  };
  tell_again();
  EXPECT_EQ(arrived(22s), true) << "two of the newest six";
  lately_lost.window.reset(4);
  tell_again();
  EXPECT_FALSE(arrived(22s)) << "one of them";
}

TEST_F(DeliveryTest, OtherFlowsDenyArrival) {
  begin_denying();
  delivery_.begin({Instant{} + 21s, Instant{} + 21s, true, Instant{}, flow_.first_loss()});
  delivery_.add(flow_, report(4), false);
  EXPECT_EQ(arrived(22s), false);
}

TEST_F(DeliveryTest, AnAnswerAges) {
  tell(21s, report(19));
  EXPECT_EQ(arrived(111s), true);
  EXPECT_FALSE(arrived(112s));
}

TEST_F(DeliveryTest, RemembersSinceWhenItIsDenied) {
  tell(21s, report(4));
  EXPECT_EQ(delivery_.denying_since(), Instant{} + 21100ms);
  tell(51s, report(4));
  EXPECT_EQ(delivery_.denying_since(), Instant{} + 21100ms);
  tell(200s, report(4));  // too long without an answer
  EXPECT_EQ(delivery_.denying_since(), Instant{} + 200100ms);
  delivery_.clear();
  EXPECT_FALSE(delivery_.denying_since());
}

TEST_F(DeliveryTest, AnswersThroughAnotherUplinkDoNotShowThatTcpWorks) {
  for (const bool own : {true, false}) {
    delivery_.clear();
    delivery_.begin(
        {.received = Instant{} + 6600ms, .asked = Instant{} + 6500ms, .credible = true, .own = own});
    delivery_.add(flow_, report(4), true);
    tell(21s, report(4));
    EXPECT_EQ(arrived(22s), own ? std::optional(false) : std::nullopt);
  }
}

/// Two answers: 5 to 14 did not arrive, and nothing was heard of since. Probes leave once a second.
class NothingArrives : public DeliveryTest {
 protected:
  void answer(Nanos asked, const stamp::FlowReport& r, std::optional<Instant> newest_answered = {}) {
    delivery_.begin({.received = Instant{} + asked + 100ms,
                     .asked = Instant{} + asked,
                     .credible = true,
                     .newest_answered = newest_answered,
                     .losses_needed = 8});
    delivery_.add(flow_, r, true);
  }
  bool nothing(Nanos now) const { return delivery_.nothing_arrives(Instant{} + now); }
};

TEST_F(NothingArrives, OnceASecondAnswerSaysSo) {
  answer(15s, report(4));
  EXPECT_FALSE(nothing(15s)) << "the far end may just have been cut off";
  answer(18s, report(4));
  EXPECT_FALSE(nothing(18s)) << "two more may be chance";
  answer(19500ms, report(4));
  EXPECT_TRUE(nothing(20s));
  EXPECT_FALSE(nothing(110s)) << "too long ago";
  answer(21s, report(19));
  EXPECT_FALSE(nothing(21s)) << "they have arrived after all";
}

TEST_F(NothingArrives, TwoAnswersSaySoTogether) {
  answer(8s, report(4));
  answer(13s, report(4));
  EXPECT_TRUE(nothing(13s)) << "5 to 7 and 8 to 12: both are no more than chance";
}

TEST_F(NothingArrives, NotWhereSomethingHasSince) {
  answer(15s, report(4));
  auto later = report(4);
  later.highest_sequence = 17;
  later.window.reset();
  later.window.set(0);
  answer(19500ms, later);
  EXPECT_FALSE(nothing(20s));
  answer(30s, later, Instant{} + 29s);  // another flow's probe was even answered
  EXPECT_FALSE(nothing(30s));
}

TEST_F(NothingArrives, NotOfWhatIsNoMoreThanChance) {
  answer(8s, report(4));
  answer(12s, report(4));
  EXPECT_FALSE(nothing(12s)) << "5 to 7, and 8 to 10";
}

}  // namespace
}  // namespace ue::probe
