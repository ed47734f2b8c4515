#include "openvpn/client_ledger.h"

#include <gtest/gtest.h>

namespace ue::openvpn {
namespace {

struct Ledger {
  ClientLedger ledger;
  std::vector<std::string> arrived;

  void report(const std::vector<StatusClient>& clients) {
    StatusReport report;
    report.role = Role::server;
    report.clients = clients;
    ledger.apply(report, [&](const StatusClient& c, bool first) {
      arrived.push_back(std::string(c.common_name) + (first ? " before" : ""));
    });
  }
};

StatusClient session(std::string_view name, std::string_view id, std::uint64_t received,
                     std::uint64_t sent = 0) {
  return {name, "10.0.0.1:5", received, sent, "2026-11-23 09:03:23", std::nullopt, id};
}

TEST(ClientLedger, TotalsSurviveTheEndOfASession) {
  Ledger l;
  EXPECT_TRUE(l.ledger.empty());
  l.report({session("a", "1", 1000, 10)});
  EXPECT_EQ(l.ledger.find("a")->received, 0u) << "what was before is nobody's";
  l.report({session("a", "1", 1500, 30)});
  l.report({session("a", "2", 200, 5)});
  l.report({});
  l.report({session("a", "3", 50)});
  EXPECT_EQ(l.ledger.find("a")->received, 500u + 200 + 50);
  EXPECT_EQ(l.ledger.find("a")->sent, 20u + 5);
  EXPECT_EQ(l.ledger.find("a")->sessions, 1u);
  EXPECT_EQ(l.ledger.all().received, 750u);
  EXPECT_EQ(l.arrived, (std::vector<std::string>{"a before", "a", "a"}));
}

TEST(ClientLedger, OneNameWithSeveralSessionsIsOneEntry) {
  Ledger l;
  l.report({session("a", "1", 0), session("a", "2", 0), session("b", "3", 0)});
  l.report({session("a", "1", 10), session("a", "2", 5), session("b", "3", 1), session("a", "2", 5)});
  EXPECT_EQ(l.ledger.find("a")->received, 15u);
  EXPECT_EQ(l.ledger.find("a")->sessions, 2u) << "a row that is there twice is one session";
  EXPECT_EQ(l.ledger.all().sessions, 3u);
  EXPECT_EQ(l.ledger.find("c"), nullptr);
}

TEST(ClientLedger, CountersThatBeginAnewNeverTakeAnythingAway) {
  Ledger l;
  l.report({session("a", "1", 100)});
  l.report({session("a", "1", 40)});
  EXPECT_EQ(l.ledger.find("a")->received, 40u);
}

TEST(ClientLedger, StaysBoundedWhateverNamesComeAndForgetsNoOctets) {
  Ledger l;
  l.report({});
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kMaxClients + 10; ++i) names.push_back("n" + std::to_string(i));
  names.push_back(std::string(65'536, 'x'));
  std::vector<StatusClient> rows;
  for (const std::string& name : names) rows.push_back(session(name, "1", 3));
  rows.push_back(session("", "9", 3));
  l.report(rows);
  EXPECT_EQ(l.ledger.find(names.back()), nullptr);
  EXPECT_EQ(l.ledger.all().received, 3 * names.size());
  EXPECT_EQ(l.ledger.unauthenticated(), 1u);
}

}  // namespace
}  // namespace ue::openvpn
