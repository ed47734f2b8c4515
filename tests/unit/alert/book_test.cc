#include "alert/book.h"

#include <gmock/gmock.h>

namespace ue::alert {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Condition condition(std::string_view name, const std::string& uplink) {
  return {&rule(name), {{"alertname", std::string(name)}, {"uplink", uplink}}, "why"};
}

/// A book, and a clock that the test turns.
struct Desk {
  Book book{1};
  Now now{Instant(1000s), WallTime(1'760'000'000s), {}};

  std::vector<Message> after(Nanos time, const std::vector<Condition>& conditions) {
    now.mono += time;
    now.wall += time;
    book.update(conditions, now);
    return book.due(0, now);
  }
  std::vector<Message> told_after(Nanos time, const std::vector<Condition>& conditions) {
    auto messages = after(time, conditions);
    book.settle(0, true);
    return messages;
  }
};

const std::vector<Condition> kOneWay{condition("UplinkUdpOneWay", "mansion")};

TEST(Book, TellsAfterTheRulesTimeAndOnceAMinuteAgain) {
  Desk d;
  EXPECT_THAT(d.told_after(0s, kOneWay), IsEmpty());
  EXPECT_THAT(d.told_after(29s, kOneWay), IsEmpty()) << "30 s are the rule's";
  const auto first = d.told_after(1s, kOneWay);
  ASSERT_THAT(first, SizeIs(1));
  EXPECT_EQ(first[0].starts, d.now.wall);
  EXPECT_EQ(first[0].ends, d.now.wall + 4min) << "it ends by itself should we die";
  EXPECT_THAT(first[0].annotations.at("summary"), HasSubstr("one-way"));
  EXPECT_EQ(first[0].annotations.at("runbook_url"), "rules/README.md#uplinkudponeway");
  EXPECT_THAT(d.told_after(59s, kOneWay), IsEmpty());
  const auto again = d.told_after(1s, kOneWay);
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_EQ(again[0].starts, first[0].starts);
}

TEST(Book, ABlinkIsToldToNobody) {
  Desk d;
  d.told_after(0s, kOneWay);
  d.told_after(20s, kOneWay);
  EXPECT_THAT(d.told_after(5s, {}), IsEmpty());
  EXPECT_EQ(d.book.size(), 0u);
  d.told_after(5s, kOneWay);
  EXPECT_THAT(d.told_after(25s, kOneWay), IsEmpty()) << "the time begins anew";
}

TEST(Book, TellsTheEndOnceAndNotWhileTheRuleKeepsFiring) {
  Desk d;
  d.told_after(0s, kOneWay);
  const auto starts = d.told_after(30s, kOneWay).at(0).starts;
  EXPECT_THAT(d.told_after(5s, {}), IsEmpty());
  EXPECT_THAT(d.told_after(60s, {}), SizeIs(1)) << "said again, as firing";
  const auto over = d.told_after(55s, {});
  ASSERT_THAT(over, SizeIs(1));
  EXPECT_EQ(over[0].ends, d.now.wall);
  EXPECT_EQ(over[0].starts, starts);
  EXPECT_THAT(d.told_after(5s, {}), IsEmpty());
  EXPECT_EQ(d.book.size(), 0u);
}

TEST(Book, NothingIsLostWhileAnAlertmanagerIsAway) {
  Desk d;
  d.told_after(0s, kOneWay);
  ASSERT_THAT(d.told_after(30s, kOneWay), SizeIs(1));
  ASSERT_THAT(d.after(2min, {}), SizeIs(1)) << "the end, which does not arrive";
  d.book.settle(0, false);
  const std::vector<Condition> down{condition("UplinkDown", "five_g")};
  for (int i = 0; i < 20; ++i) {
    d.after(1min, down);
    d.book.settle(0, false);
  }
  const auto late = d.told_after(1min, down);
  ASSERT_THAT(late, SizeIs(2)) << "what fires, and what ended after it had been told";
  EXPECT_THAT(d.told_after(5s, down), IsEmpty());
}

TEST(Book, WhatBeganAndEndedWhileNobodyHeardIsNotTold) {
  Desk d;
  d.after(0s, kOneWay);
  // No post was under way: nobody can have heard of it.
  d.now.mono += 30s;
  d.book.update(kOneWay, d.now);
  d.now.mono += 2min;
  d.book.update({}, d.now);
  EXPECT_THAT(d.after(5s, {}), IsEmpty());
  EXPECT_EQ(d.book.size(), 0u);
}

TEST(Book, AnEndDuringAPostThatMayArriveIsTold) {
  Desk d;
  d.told_after(0s, kOneWay);
  ASSERT_THAT(d.after(30s, kOneWay), SizeIs(1));
  EXPECT_THAT(d.after(2min, {}), IsEmpty()) << "one post at a time";
  d.book.settle(0, true);
  EXPECT_THAT(d.told_after(0s, {}), SizeIs(1));
  EXPECT_THAT(d.told_after(1s, {}), IsEmpty());
}

TEST(Book, IsBoundedInAlertsAndInEachPost) {
  Desk d;
  std::vector<Condition> many;
  for (std::size_t i = 0; i < Book::kMaxAlerts + 5; ++i)
    many.push_back(condition("UplinkFaultFresh", "u" + std::to_string(i)));
  EXPECT_THAT(d.told_after(0s, many), SizeIs(Book::kMaxBatch));
  EXPECT_EQ(d.book.size(), Book::kMaxAlerts);
  EXPECT_EQ(d.book.refused(), 5u);
  EXPECT_THAT(d.told_after(1s, many), SizeIs(Book::kMaxBatch)) << "the next ones";
}

TEST(Book, ReceiversAreToldEachForItself) {
  Book book{2};
  Now now{Instant(1000s), WallTime(1'760'000'000s), {}};
  const std::vector<Condition> loop{condition("UplinkFaultFresh", "mansion")};
  book.update(loop, now);
  ASSERT_THAT(book.due(0, now), SizeIs(1));
  ASSERT_THAT(book.due(1, now), SizeIs(1));
  book.settle(0, true);
  book.settle(1, false);
  EXPECT_THAT(book.due(0, now), IsEmpty());
  EXPECT_THAT(book.due(1, now), SizeIs(1));
}

}  // namespace
}  // namespace ue::alert
