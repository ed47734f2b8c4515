#include "agent/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../metrics/sample.h"
#include "verdict/advice.h"

namespace ue::agent {
namespace {

using testing::HasSubstr;
using testing::Not;
using verdict::Verdict;

TEST(Report, EveryVerdictHasAGradeAndAllButHealthyAnAdvice) {
  for (const auto v : verdict::kAllVerdicts) {
    EXPECT_EQ(verdict::advice(v).empty(), v == Verdict::healthy) << verdict::name(v);
    EXPECT_EQ(grade(v) == Grade::healthy, v == Verdict::healthy) << verdict::name(v);
  }
  EXPECT_EQ(grade(Verdict::short_mapping), Grade::impaired);
  EXPECT_EQ(grade(Verdict::one_way), Grade::broken);
  EXPECT_EQ(grade(Verdict::unknown), Grade::unknown);
}

TEST(Report, TheWorstUplinkDecidesTheExitCode) {
  const auto s = metrics::sample_snapshot();
  EXPECT_EQ(worst(*s), Grade::broken);
  const auto with = [&](Verdict v) {
    auto changed = *s;
    auto mansion = std::make_shared<metrics::Uplink>(*s->uplinks[0]);
    mansion->conclusion.verdict = v;
    changed.uplinks[0] = mansion;
    return static_cast<int>(worst(changed));
  };
  EXPECT_EQ(with(Verdict::healthy), 0);
  EXPECT_EQ(with(Verdict::lossy), 1);
  EXPECT_EQ(with(Verdict::local_fault), 3);
  EXPECT_EQ(with(Verdict::unknown), 4);
  EXPECT_EQ(static_cast<int>(worst(metrics::Snapshot{})), 4) << "no uplink at all";
}

TEST(Report, TheTextTellsAllThatIsKnownOfEachUplink) {
  const auto text = report_text(*metrics::sample_snapshot());
  for (const auto* words :
       {"mansion (eth2 via 203.0.113.1): one_way", "replies to cloud die 4s after a flow begins",
        "whose fault carrier", "5 s survived, 10 s not (stream)",
        "120 s survived, no longer silence was tried (solitary)", "seen as     198.51.100.7:41234",
        "mapping endpoint independent, filtering address and port dependent, carrier-grade yes",
        "round trip  12.3 ms to cloud", "fails here  rp_filter",
        "what to do  Send only the VPN server's address", "five_g (eth1 via 192.168.8.1): healthy",
        "seen as     unknown", "openvpn_management is off: connection refused"})
    EXPECT_THAT(text, HasSubstr(words));
  EXPECT_THAT(text, Not(HasSubstr("conntrack"))) << "it lacks only a privilege";
  EXPECT_THAT(report_text(metrics::Snapshot{}), HasSubstr("No uplink was found"));
}

TEST(Report, LifetimesAreThoseOfThePathThatMeasuresThem) {
  auto s = *metrics::sample_snapshot();
  auto mansion = std::make_shared<metrics::Uplink>(*s.uplinks[0]);
  auto other = std::make_shared<metrics::Path>(*mansion->paths[0]);
  other->reflector = "a_longer_name";
  for (auto& [pattern, lifetime] : other->lifetimes) lifetime.lower = lifetime.upper = std::nullopt;
  mansion->paths.insert(mansion->paths.begin(), other);
  s.uplinks[0] = mansion;
  const auto text = report_text(s);
  EXPECT_THAT(text, HasSubstr("5 s survived, 10 s not (stream)"));
  EXPECT_THAT(text, HasSubstr("  to a_longer_name one_way\n"));
}

TEST(Report, TheJsonHasItsDocumentedMembers) {
  const auto json = nlohmann::json::parse(report_json(*metrics::sample_snapshot()));
  EXPECT_EQ(json["schema"], 1);
  EXPECT_EQ(json["version"], "0.1.0");
  EXPECT_EQ(json["exit_code"], 3);
  ASSERT_EQ(json["uplinks"].size(), 2U);
  const auto& mansion = json["uplinks"][0];
  EXPECT_EQ(mansion["name"], "mansion");
  EXPECT_EQ(mansion["interface"], "eth2");
  EXPECT_EQ(mansion["verdict"], "one_way");
  EXPECT_EQ(mansion["scope"], "carrier");
  EXPECT_EQ(mansion["mapped_endpoint"], "198.51.100.7:41234");
  EXPECT_EQ(mansion["nat"]["filtering"], "address_and_port_dependent");
  EXPECT_EQ(mansion["lifetimes"]["stream"]["lower_seconds"], 5);
  EXPECT_EQ(mansion["lifetimes"]["stream"]["upper_seconds"], 10);
  EXPECT_TRUE(mansion["lifetimes"]["solitary"]["upper_seconds"].is_null());
  EXPECT_EQ(mansion["local_faults"], nlohmann::json::array({"rp_filter"}));
  ASSERT_EQ(mansion["paths"].size(), 1U);
  EXPECT_EQ(mansion["paths"][0]["return_lost"], 83);
  EXPECT_TRUE(json["uplinks"][1]["advice"].is_null());
  EXPECT_TRUE(json["uplinks"][1]["mapped_endpoint"].is_null());
  ASSERT_EQ(json["faults"].size(), 1U);
  EXPECT_EQ(json["faults"][0]["source"], "openvpn_management");
}

TEST(Report, ProgressIsOneLine) {
  EXPECT_EQ(progress_text(*metrics::sample_snapshot()), "mansion one_way, five_g healthy");
  EXPECT_EQ(progress_text(metrics::Snapshot{}), "no uplink");
}

}  // namespace
}  // namespace ue::agent
