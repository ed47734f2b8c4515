#include "web/status_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "../metrics/sample.h"

namespace ue::web {
namespace {

using nlohmann::json;

json agent_status() { return json::parse(status_json(*metrics::sample_snapshot())); }

TEST(StatusJson, SaysWhatThePageSays) {
  const auto s = agent_status();
  EXPECT_EQ(s["program"], "uplink_exporter");
  const auto& u = s["uplinks"][0];
  EXPECT_EQ(u["name"], "mansion");
  EXPECT_EQ(u["verdict"], "one_way");
  EXPECT_EQ(u["scope"], "carrier");
  EXPECT_TRUE(u["where"].is_null());
  EXPECT_EQ(u["preflight"]["rp_filter"], false);
  EXPECT_EQ(u["history"].size(), 2u);
  EXPECT_EQ(u["history"][1]["verdict"], "one_way");
  const auto& p = u["paths"][0];
  EXPECT_EQ(p["recent"]["answered"], 5);
  EXPECT_NEAR(p["recent"]["return_ratio"].get<double>(), 5.0 / 58, 1e-9);
  EXPECT_EQ(p["mapping_lifetimes"]["stream"]["upper_seconds"], 10);
  EXPECT_TRUE(p["mapping_lifetimes"]["solitary"]["upper_seconds"].is_null());
  EXPECT_EQ(p["minutes"]["bins"].size(), 3u);
  EXPECT_EQ(p["minutes"]["bins"][2], json::parse("[1, 0, 9, 0, 4, null]"));
  EXPECT_EQ(p["mapping_lifetimes"]["stream"]["upper_is_own"], true);
  EXPECT_EQ(s["tunnels"][0]["diagnosis"], "one_way_loop");
  EXPECT_EQ(s["tunnels"][0]["routes"], 3);
  EXPECT_EQ(s["tunnels"][0]["routes_fault"], "3 routes lead into tun0");
  EXPECT_TRUE(s["routes"][1]["match"].is_null());
  EXPECT_EQ(s["collectors"][1]["optional"], true);
}

TEST(StatusJson, WhatIsNotMeasuredIsNull) {
  auto s = metrics::sample_snapshot();
  auto path = std::make_shared<metrics::Path>();
  auto uplink = std::make_shared<metrics::Uplink>();
  uplink->paths = {path};
  s->uplinks = {uplink};
  s->past = nullptr;
  const auto u = json::parse(status_json(*s))["uplinks"][0];
  for (const char* key : {"gateway", "since", "link_up", "default_route"})
    EXPECT_TRUE(u[key].is_null()) << key;
  for (const char* key : {"recent", "rtt_seconds", "minutes", "hours", "mapped_endpoint"})
    EXPECT_TRUE(u["paths"][0][key].is_null()) << key;
}

TEST(StatusJson, TextThatIsNoUtf8StaysReadable) {
  auto s = metrics::sample_snapshot();
  s->build.version = "a\xff\"<b>";
  EXPECT_EQ(json::parse(status_json(*s))["version"], "a\xef\xbf\xbd\"<b>");
}

/// Every key there is, except those that are somebody's names.
void collect(const json& value, std::set<std::string>& keys) {
  if (!value.is_structured()) return;
  static const std::set<std::string> kNamed{"labels",     "preflight", "sources",
                                            "reflectors", "packets",   "queries"};
  for (const auto& [key, child] : value.items()) {
    if (value.is_object()) keys.insert(key);
    if (!kNamed.contains(key) || child.is_array()) collect(child, keys);
  }
}

TEST(StatusJson, EveryKeyIsDocumented) {
  std::ifstream in(std::string(UPLINK_TEST_DATA) + "/../../exporter/web/status_api.md");
  std::stringstream text;
  text << in.rdbuf();
  ASSERT_NE(text.str(), "");
  std::set<std::string> keys;
  collect(agent_status(), keys);
  auto reflector = json::parse(status_json(*metrics::sample_reflector_snapshot()));
  reflector["holds"] = 0;
  collect(reflector, keys);
  EXPECT_GE(keys.size(), 70u);
  for (const auto& key : keys) EXPECT_THAT(text.str(), testing::HasSubstr("`" + key + "`")) << key;
}

}  // namespace
}  // namespace ue::web
