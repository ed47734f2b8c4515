#include "config/dump.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cases.h"

namespace ue::config {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Dump, IsReadBackAsTheSame) {
  for (const std::string& text : {read_data("example.yaml"), std::string()}) {
    const auto config = parse_config(text, "a.yaml");
    ASSERT_TRUE(config.ok()) << config.error();
    const auto again = parse_config(to_yaml(*config), "dump.yaml");
    ASSERT_TRUE(again.ok()) << again.error() << "\n" << to_yaml(*config);
    EXPECT_EQ(*again, *config) << to_yaml(*config);
  }
}

TEST(Dump, OfTheReflectorIsReadBackAsTheSame) {
  const auto config = parse_reflector_config(read_data("reflector_example.yaml"), "r.yaml");
  ASSERT_TRUE(config.ok()) << config.error();
  const auto again = parse_reflector_config(to_yaml(*config), "dump.yaml");
  ASSERT_TRUE(again.ok()) << again.error() << "\n" << to_yaml(*config);
  EXPECT_EQ(*again, *config);
}

TEST(Dump, TellsNoPasswordOfAUrl) {
  Config config;
  config.alertmanagers = {"http://ops:geh@eim@alerts.example.net:9093/x@y", "https://plain.example.net"};
  const auto text = to_yaml(config);
  EXPECT_THAT(text, HasSubstr("\"http://<secret>@alerts.example.net:9093/x@y\""));
  EXPECT_THAT(text, HasSubstr("\"https://plain.example.net\""));
  EXPECT_THAT(text, Not(HasSubstr("eim")));
}

}  // namespace
}  // namespace ue::config
