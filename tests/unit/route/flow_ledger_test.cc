#include "route/flow_ledger.h"

#include <gtest/gtest.h>

#include "route/conntrack.h"

namespace ue::route {
namespace {

using namespace std::chrono_literals;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
Instant at(Nanos since) { return Instant(1h + since); }

FlowEvent flow(std::uint32_t id, const char* uplink = "192.0.2.2", bool begun = true, bool replied = false) {
  return {id, begun, replied, 30s, ip("111.222.33.44"), ip(uplink)};
}

class Ledger : public ::testing::Test {
 protected:
  Ledger() { ledger_.set_uplinks({{"a", {ip("192.0.2.2")}}, {"b", {ip("198.51.100.2")}}}); }
  const FlowCounts& of(const char* uplink) { return ledger_.counts().at(uplink).all; }
  FlowLedger ledger_;
};

TEST_F(Ledger, AFlowWithoutAnAnswerCountsOnceItsTimeIsOver) {
  ledger_.apply(flow(1), at(0s));
  ledger_.settle(at(29s));
  EXPECT_EQ(of("a").unreplied, 0U);
  ledger_.settle(at(33s));
  ledger_.settle(at(90s));
  EXPECT_EQ(of("a").begun, 1U);
  EXPECT_EQ(of("a").unreplied, 1U);
  EXPECT_EQ(of("b").begun, 0U);
}

TEST_F(Ledger, AnAnswerInTimeSettlesIt) {
  ledger_.apply(flow(1), at(0s));
  ledger_.apply(flow(1, "192.0.2.2", false, true), at(1s));
  ledger_.apply(flow(1, "192.0.2.2", false, true), at(1s));
  ledger_.settle(at(90s));
  EXPECT_EQ(of("a").unreplied, 0U);
  EXPECT_EQ(of("a").answered, 1U) << "that it goes on is told, too";
  EXPECT_EQ(ledger_.followed(), 0U);
}

TEST_F(Ledger, FlowsOfOurOwnProbesAreNoWitnessesBeside) {
  ledger_.set_own({{ip("111.222.33.44"), 862}});
  auto probe = flow(1);
  ledger_.apply(probe, at(0s));
  auto other = flow(2);
  other.reply_from = ip("111.222.33.45");
  ledger_.apply(other, at(0s));
  ledger_.settle(at(90s));
  EXPECT_EQ(of("a").unreplied, 2U);
  EXPECT_EQ(ledger_.counts().at("a").others.begun, 1U);
  EXPECT_EQ(ledger_.counts().at("a").others.unreplied, 1U);
}

TEST_F(Ledger, WhatNoUplinkCarriesIsNotCounted) {
  ledger_.apply(flow(1, "10.0.0.1"), at(0s));
  auto own = flow(2);
  own.reply_from = ip("198.51.100.2");
  ledger_.apply(own, at(0s));
  EXPECT_EQ(of("a").begun, 0U);
}

TEST_F(Ledger, ANumberThatIsUsedAgainIsAnotherFlow) {
  ledger_.apply(flow(1), at(0s));
  ledger_.apply(flow(1), at(20s));
  EXPECT_EQ(of("a").unreplied, 1U);
  ledger_.settle(at(33s));
  EXPECT_EQ(of("a").unreplied, 1U) << "the second one still has time";
  ledger_.settle(at(60s));
  EXPECT_EQ(of("a").unreplied, 2U);
}

TEST_F(Ledger, LostEventsAccuseNobody) {
  ledger_.apply(flow(1), at(0s));
  ledger_.lose_sight();
  ledger_.settle(at(90s));
  EXPECT_EQ(of("a").unreplied, 0U);
  EXPECT_EQ(of("a").unfollowed, 1U);
}

TEST_F(Ledger, MemoryIsBoundedAndTheRestIsCounted) {
  constexpr std::uint32_t kMore = 10;
  for (std::uint32_t id = 0; id < FlowLedger::kMostFollowed + kMore; ++id) ledger_.apply(flow(id), at(0s));
  EXPECT_EQ(ledger_.followed(), FlowLedger::kMostFollowed);
  EXPECT_EQ(of("a").unfollowed, kMore);
  ledger_.settle(at(90s));
  EXPECT_EQ(of("a").begun, of("a").unreplied + of("a").unfollowed);
}

TEST(ConntrackStatistics, AreSummedByTheirNames) {
  ConntrackTable table;
  read_conntrack_statistics(
      "entries  insert_failed drop early_drop\n00000001 00000002 0000000a 00000000\n"
      "00000001 00000001 00000010 00000003\n",
      table);
  EXPECT_EQ(table.insert_failures, 3U);
  EXPECT_EQ(table.drops, 26U);
  EXPECT_EQ(table.early_drops, 3U);
  ConntrackTable without;
  read_conntrack_statistics("", without);
  EXPECT_FALSE(without.drops);
}

}  // namespace
}  // namespace ue::route
