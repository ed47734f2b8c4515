// Which policy rules a packet of this machine meets, as fib_rules.c decides it; the lab asks the kernel
// itself.
#include "route/rules.h"

#include <gtest/gtest.h>
#include <linux/fib_rules.h>

#include "ip.h"

namespace ue::route {
namespace {

constexpr std::uint32_t kUid = 1000;

Query asking(const char* destination, std::uint32_t mark = 0, const char* source = nullptr) {
  Query query;
  query.destination = *IpAddress::parse(destination);
  query.fwmark = mark;
  if (source != nullptr) query.source = IpAddress::parse(source);
  return query;
}

Rule lookup(std::uint32_t priority, std::uint32_t table = 100) {
  Rule rule;
  rule.priority = priority;
  rule.action = FR_ACT_TO_TBL;
  rule.table = table;
  return rule;
}

Prefix block(const char* address, std::uint8_t length) { return {*IpAddress::parse(address), length}; }

TEST(RuleMatches, ByDestinationSourceAndFamily) {
  Rule rule = lookup(100);
  EXPECT_TRUE(rule.matches(asking("192.0.2.1"), kUid));
  EXPECT_FALSE(rule.matches(asking("2001:db8::1"), kUid));
  rule.to = block("192.0.2.0", 24);
  EXPECT_TRUE(rule.matches(asking("192.0.2.255"), kUid));
  EXPECT_FALSE(rule.matches(asking("192.0.3.0"), kUid));
  rule.from = block("10.0.0.0", 8);
  EXPECT_FALSE(rule.matches(asking("192.0.2.1"), kUid))
      << "no source is 0.0.0.0, which the block does not cover";
  EXPECT_TRUE(rule.matches(asking("192.0.2.1", 0, "10.1.2.3"), kUid));
  EXPECT_FALSE(rule.matches(asking("192.0.2.1", 0, "11.1.2.3"), kUid));
}

TEST(RuleMatches, ByMarkUnderItsMask) {
  Rule rule = lookup(100);
  rule.fwmark = 0x100;
  rule.fwmask = 0xff00;
  EXPECT_TRUE(rule.matches(asking("192.0.2.1", 0x1ab), kUid));
  EXPECT_FALSE(rule.matches(asking("192.0.2.1", 0x2ab), kUid));
  EXPECT_FALSE(rule.matches(asking("192.0.2.1"), kUid));
}

TEST(RuleMatches, ByInterfaceUserAndWhatCannotBeKnown) {
  Rule in = lookup(100);
  in.iif = "eth1";
  EXPECT_FALSE(in.matches(asking("192.0.2.1"), kUid)) << "what this machine sends came in through lo";
  in.iif = "lo";
  EXPECT_TRUE(in.matches(asking("192.0.2.1"), kUid));
  Rule out = lookup(100);
  out.oif = "eth1";
  EXPECT_FALSE(out.matches(asking("192.0.2.1"), kUid)) << "a tunnel daemon is bound to no interface";
  Rule user = lookup(100);
  user.uids = std::pair(1000U, 1009U);
  EXPECT_TRUE(user.matches(asking("192.0.2.1"), 1009));
  EXPECT_FALSE(user.matches(asking("192.0.2.1"), 1010));
  Rule ports = lookup(100);
  ports.selects_more = true;
  EXPECT_FALSE(ports.matches(asking("192.0.2.1"), kUid));
}

TEST(RuleMatches, AnInvertedRuleIsMetByEverythingElseOfItsFamily) {
  Rule rule = lookup(100);
  rule.invert = true;
  rule.to = block("192.0.2.0", 24);
  EXPECT_FALSE(rule.matches(asking("192.0.2.1"), kUid));
  EXPECT_TRUE(rule.matches(asking("198.51.100.1"), kUid));
  EXPECT_FALSE(rule.matches(asking("2001:db8::1"), kUid));
}

std::vector<std::uint32_t> met(const std::vector<Rule>& rules, const Query& query, std::size_t at_most = 99) {
  std::vector<std::uint32_t> priorities;
  walk(rules, query, kUid, [&](const Rule& rule) {
    priorities.push_back(rule.priority);
    return priorities.size() < at_most;
  });
  return priorities;
}

TEST(RuleWalk, VisitsWhatIsMetInOrderUntilToldToStop) {
  std::vector<Rule> rules{lookup(0, 255), lookup(500), lookup(32766, 254)};
  rules[1].to = block("192.0.2.1", 32);
  using Order = std::vector<std::uint32_t>;
  EXPECT_EQ(met(rules, asking("192.0.2.1")), (Order{0, 500, 32766}));
  EXPECT_EQ(met(rules, asking("192.0.2.2")), (Order{0, 32766}));
  EXPECT_EQ(met(rules, asking("192.0.2.1"), 2), (Order{0, 500}));
}

TEST(RuleWalk, FollowsGotoForwards) {
  std::vector<Rule> rules{lookup(0, 255), lookup(100), lookup(200), lookup(300)};
  rules[1].action = FR_ACT_GOTO;
  rules[1].target = 300;
  const auto order = met(rules, asking("192.0.2.1"));
  EXPECT_EQ(order.front(), 0u);
  EXPECT_EQ(order.back(), 300u);
  EXPECT_EQ(std::count(order.begin(), order.end(), 200u), 0);
  rules[1].to = block("198.51.100.0", 24);
  EXPECT_EQ(std::count_if(rules.begin(), rules.end(), [](const Rule& r) { return r.priority == 200; }), 1);
  const auto without = met(rules, asking("192.0.2.1"));
  EXPECT_EQ(std::count(without.begin(), without.end(), 200u), 1) << "the goto is not met";
}

}  // namespace
}  // namespace ue::route
