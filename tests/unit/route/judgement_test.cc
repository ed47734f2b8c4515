#include "route/judgement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "ip.h"

namespace ue::route {
namespace {

using testing::HasSubstr;

config::Uplink uplink(const char* name, const char* interface, const char* gateway) {
  config::Uplink u;
  u.name = name;
  u.interface = interface;
  if (gateway != nullptr) u.gateway = ip(gateway);
  return u;
}

/// The seed's gateway: the carrier on eth2 (index 2), the 5G router on eth1 (index 1).
Judgement seed(const FibAnswer& answer, const char* expected = "five_g",
               const std::optional<Rule>& rule = std::nullopt) {
  const std::vector uplinks{uplink("mansion", "eth2", nullptr), uplink("five_g", "eth1", "192.168.0.1")};
  return judge({"111.222.33.44", expected, {ip("111.222.33.44"), 0, {}}}, uplinks, answer, rule,
               [](int index) { return index == 0 ? "" : "eth" + std::to_string(index); });
}

FibAnswer through(std::vector<uplink::NextHop> hops) {
  FibAnswer answer;
  answer.table = 254;
  answer.hops = std::move(hops);
  return answer;
}

const uplink::NextHop kFiveG{1, ip("192.168.0.1")};
const uplink::NextHop kMansion{2, ip("123.45.0.1")};

TEST(Judgement, TheSeedsHostRouteMatches) {
  const auto found = seed(through({kFiveG}));
  EXPECT_TRUE(found.match);
  EXPECT_EQ(found.uplink, "five_g");
  EXPECT_EQ(found.interface, "eth1");
  EXPECT_EQ(found.gateway, "192.168.0.1");
  EXPECT_EQ(found.table, "main");
  EXPECT_EQ(found.reason, "111.222.33.44 leaves through five_g (eth1 via 192.168.0.1), by table main");
}

TEST(Judgement, WithoutTheHostRouteItSaysWhereItGoesAndWhatToType) {
  const auto found = seed(through({kMansion}));
  EXPECT_FALSE(found.match);
  EXPECT_EQ(found.uplink, "mansion");
  EXPECT_EQ(
      found.reason,
      "111.222.33.44 leaves through mansion (eth2 via 123.45.0.1), by table main; it must leave through "
      "five_g (eth1 via 192.168.0.1); to put it right: ip route replace 111.222.33.44 via 192.168.0.1 dev "
      "eth1");
}

TEST(Judgement, RefusalsAreToldApart) {
  const std::pair<int, const char*> cases[] = {{ENETUNREACH, "no route leads there"},
                                               {EHOSTUNREACH, "`unreachable`"},
                                               {EINVAL, "`blackhole`"},
                                               {EACCES, "`prohibit`"}};
  for (const auto& [code, words] : cases) {
    FibAnswer answer;
    answer.code = code;
    const auto found = seed(answer);
    EXPECT_FALSE(found.match);
    EXPECT_EQ(found.interface, "");
    EXPECT_THAT(found.reason, HasSubstr(words));
  }
}

TEST(Judgement, EveryOfSeveralNextHopsMustMatch) {
  EXPECT_TRUE(seed(through({kFiveG, kFiveG})).match);
  const auto split = seed(through({kFiveG, kMansion}));
  EXPECT_FALSE(split.match);
  EXPECT_EQ(split.uplink, "");
  EXPECT_THAT(split.reason, HasSubstr("five_g (eth1 via 192.168.0.1) and mansion (eth2 via 123.45.0.1)"));
  EXPECT_THAT(split.reason, HasSubstr("alone"));
}

TEST(Judgement, AnotherGatewayOnTheSameInterfaceIsNoMatch) {
  const auto found = seed(through({{1, ip("192.168.0.9")}}));
  EXPECT_FALSE(found.match);
  EXPECT_EQ(found.uplink, "");
  EXPECT_THAT(found.reason, HasSubstr("eth1 via 192.168.0.9"));
}

TEST(Judgement, AnOwnAddressLeavesThroughNothing) {
  FibAnswer answer;
  answer.local = true;
  EXPECT_FALSE(seed(answer).match);
  EXPECT_THAT(seed(answer).reason, HasSubstr("this machine itself"));
}

TEST(Judgement, AnUplinkThatIsNotThereIsNamed) {
  const auto found = seed(through({kMansion}), "lte");
  EXPECT_FALSE(found.match);
  EXPECT_THAT(found.reason, HasSubstr("there is no uplink lte now"));
}

}  // namespace
}  // namespace ue::route
