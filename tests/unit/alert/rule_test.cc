// The table of direct mode is held to the rules that Prometheus evaluates.
#include "alert/rule.h"

#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <filesystem>
#include <map>

#include "config/config.h"

namespace ue::alert {
namespace {

/// alert name -> its rule in rules/*.rules.yml
std::map<std::string, YAML::Node> prometheus_rules() {
  std::map<std::string, YAML::Node> all;
  for (const auto& entry : std::filesystem::directory_iterator(UPLINK_TEST_DATA "/../../rules")) {
    if (!entry.path().string().ends_with(".rules.yml")) continue;
    const YAML::Node file = YAML::LoadFile(entry.path().string());
    for (const YAML::Node& group : file["groups"]) {
      for (const YAML::Node& r : group["rules"]) {
        if (r["alert"]) all.emplace(r["alert"].as<std::string>(), r);
      }
    }
  }
  return all;
}

Nanos duration_of(const YAML::Node& rule, const char* key) {
  return rule[key] ? config::parse_duration(rule[key].as<std::string>()).value_or(Nanos(-1)) : Nanos::zero();
}

TEST(RulesOfDirectMode, AreThoseThatPrometheusEvaluates) {
  const auto theirs = prometheus_rules();
  for (std::size_t i = 0; i < rule_count(); ++i) {
    const Rule& ours = rule_at(i);
    SCOPED_TRACE(ours.name);
    const auto found = theirs.find(std::string(ours.name));
    ASSERT_NE(found, theirs.end());
    const auto& r = found->second;
    EXPECT_EQ(ours.severity, r["labels"]["severity"].as<std::string>());
    EXPECT_EQ(ours.pending, duration_of(r, "for"));
    EXPECT_EQ(ours.keep_firing, duration_of(r, "keep_firing_for"));
    EXPECT_EQ(ours.summary, r["annotations"]["summary"].as<std::string>());
    EXPECT_EQ(runbook_of(ours), r["annotations"]["runbook_url"].as<std::string>());
  }
}

/// What only somebody else can see of a gateway or a reflector, or of many gateways.
TEST(RulesOfDirectMode, AreAllThatAGatewayCanSeeOfItself) {
  std::vector<std::string> missing;
  for (const auto& [name, node] : prometheus_rules()) {
    bool known = name == "UplinkExporterSilent" || name == "UplinkCarrierOneWay" ||
                 name == "UplinkRulesIncomplete" ||
                 (name.starts_with("UplinkReflector") && name != "UplinkReflectorDown");
    for (std::size_t i = 0; i < rule_count(); ++i) known = known || rule_at(i).name == name;
    if (!known) missing.push_back(name);
  }
  EXPECT_THAT(missing, testing::IsEmpty());
}

}  // namespace
}  // namespace ue::alert
