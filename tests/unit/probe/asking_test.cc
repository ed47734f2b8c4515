#include "probe/asking.h"

#include <gtest/gtest.h>

namespace ue::probe {
namespace {

using namespace std::chrono_literals;
using Need = Asking::Need;

Instant at(Nanos t) { return Instant{} + t; }

TEST(Asking, AsksAtOnceAndThenBySpacing) {
  Asking a;
  EXPECT_FALSE(a.due(Need::none));
  EXPECT_EQ(a.due(Need::routine), Instant{});
  a.asked(at(10s));
  EXPECT_FALSE(a.due(Need::urgent)) << "one question at a time";
  a.done(at(11s), true, true);
  EXPECT_EQ(a.due(Need::urgent), at(12s));
  EXPECT_EQ(a.due(Need::settle), at(55s));
  EXPECT_EQ(a.due(Need::watch), at(40s));
  EXPECT_EQ(a.due(Need::routine), at(310s));
}

TEST(Asking, WhoNeverAnswersIsAskedEverLess) {
  Asking a;
  Nanos last = 0s;
  for (int i = 0; i < 6; ++i) {
    const auto due = *a.due(Need::settle) - Instant{};
    EXPECT_GE(due, last);
    last = due;
    a.asked(at(last));
    a.done(at(last + 4s), false, false);
  }
  EXPECT_EQ(*a.due(Need::settle) - at(last), Nanos(600s));
  EXPECT_EQ(*a.due(Need::urgent) - at(last), Nanos(2s)) << "but a fault is looked into";
  EXPECT_EQ(*a.due(Need::watch) - at(last), Nanos(30s));
}

TEST(Asking, WhatFailsUnderWatchIsAskedAgainSoonForAMinute) {
  Asking a;
  a.asked(at(0s));
  a.done(at(1s), true, true);
  for (const Nanos asked : {30000ms, 41500ms, 53000ms, 64500ms, 76000ms, 87500ms}) {
    EXPECT_EQ(a.due(Need::watch), at(asked));
    a.asked(at(asked));
    a.done(at(asked + 4s), false, false);
    EXPECT_EQ(a.mute_for(), asked - 30s) << "however long it took to fail";
  }
  EXPECT_EQ(a.due(Need::watch), at(117500ms));
  a.asked(at(120s));
  a.done(at(121s), true, true);
  EXPECT_EQ(a.mute_for(), 0s);
  EXPECT_EQ(a.due(Need::watch), at(131500ms)) << "it is back: what does it say?";
  a.asked(at(132s));
  a.done(at(133s), true, true);
  EXPECT_EQ(a.due(Need::watch), at(162s));
}

TEST(Asking, TwoFailuresInARowShowThatTcpDoesNotWork) {
  Asking a;
  EXPECT_FALSE(a.tcp_works(at(0s)));
  a.done(at(5s), true, true);
  EXPECT_EQ(a.tcp_works(at(6s)), true);
  a.done(at(10s), false, false);
  EXPECT_FALSE(a.tcp_works(at(11s)));
  a.done(at(15s), false, false);
  EXPECT_EQ(a.tcp_works(at(16s)), false);
  EXPECT_FALSE(a.tcp_works(at(106s))) << "too long ago";
  a.done(at(110s), true, true);
  EXPECT_EQ(a.tcp_works(at(111s)), true);
  EXPECT_FALSE(a.tcp_works(at(201s)));
}

TEST(Asking, AnAnswerThroughAnotherUplinkSaysNothingGoodOfThisOne) {
  Asking a;
  a.done(at(5s), true, false);
  a.done(at(9s), true, false);
  EXPECT_EQ(a.tcp_works(at(10s)), false);
  EXPECT_FALSE(a.mute_since());
}

TEST(Asking, KnowsSinceWhenEveryQuestionIsAnswered) {
  Asking a;
  EXPECT_FALSE(a.answered_since());
  a.done(at(5s), true, true);
  a.done(at(9s), true, true);
  EXPECT_EQ(a.answered_since(), at(5s));
  a.done(at(12s), true, false);
  EXPECT_FALSE(a.answered_since());
}

TEST(Asking, KnowsSinceWhenNobodyAnswers) {
  Asking a;
  a.done(at(5s), false, false);
  a.done(at(9s), false, false);
  EXPECT_EQ(a.mute_since(), at(5s));
  a.done(at(12s), true, false);
  EXPECT_FALSE(a.mute_since());
}

}  // namespace
}  // namespace ue::probe
