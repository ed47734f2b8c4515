#include "alert/conditions.h"

#include <gmock/gmock.h>

namespace ue::alert {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using verdict::Verdict;

/// One gateway, as conditions() sees it, and a clock.
struct Gateway {
  metrics::Snapshot snapshot;
  Growth growth;
  Now now{Instant(1000s), WallTime(1'760'000'000s), {}};

  metrics::Uplink& uplink(const std::string& name, Verdict v) {
    auto made = std::make_shared<metrics::Uplink>();
    made->name = name;
    made->interface = "eth-" + name;
    made->gateway = "192.0.2.1";
    made->conclusion = {v, "The sentence."};
    snapshot.uplinks.push_back(made);
    return *made;
  }
  metrics::Tunnel& tunnel(const std::string& state) {
    auto made = std::make_shared<metrics::Tunnel>();
    made->name = "cloud";
    made->state = state;
    snapshot.tunnels.push_back(made);
    return *made;
  }
  std::vector<Condition> look() {
    auto all = conditions(snapshot, "gw", growth, now);
    EXPECT_EQ(all.back().rule->name, "UplinkWatchdog");
    all.pop_back();
    return all;
  }
  /// Names of what holds, after `time`.
  std::vector<std::string> names(Nanos time = 0s) {
    now.mono += time;
    now.wall += time;
    std::vector<std::string> found;
    for (const auto& c : look()) found.emplace_back(c.rule->name);
    return found;
  }
};

TEST(Conditions, AHealthyGatewayHasNoneButTheWatchdog) {
  Gateway g;
  g.uplink("mansion", Verdict::healthy);
  g.uplink("five_g", Verdict::unknown);
  g.tunnel("connected");
  g.snapshot.collectors = {{"netlink", true, "", false}, {"conntrack", false, "grant CAP_NET_ADMIN", true}};
  EXPECT_THAT(g.names(), ElementsAre());
}

TEST(Conditions, EachBadVerdictIsItsAlertWithThePrometheusLabels) {
  const std::pair<Verdict, std::string> all[] = {
      {Verdict::one_way, "UplinkUdpOneWay"},      {Verdict::stuck_mapping, "UplinkMappingStuck"},
      {Verdict::udp_blocked, "UplinkUdpBlocked"}, {Verdict::new_flows_blocked, "UplinkNewFlowsBlocked"},
      {Verdict::no_return, "UplinkUdpNoReturn"},  {Verdict::down, "UplinkDown"},
      {Verdict::lossy, "UplinkLossHigh"}};
  for (const auto& [v, name] : all) {
    Gateway g;
    g.uplink("mansion", v);
    g.uplink("five_g", Verdict::healthy);
    const auto found = g.look();
    ASSERT_EQ(found.size(), 1u) << name;
    EXPECT_EQ(found[0].labels, (Labels{{"alertname", name},
                                       {"severity", std::string(rule(name).severity)},
                                       {"job", "uplink_exporter"},
                                       {"instance", "gw"},
                                       {"uplink", "mansion"},
                                       {"verdict", std::string(verdict::name(v))}}));
    EXPECT_THAT(found[0].description, HasSubstr("The sentence."));
  }
}

TEST(Conditions, TheCarriersNameIsALabelWhereItIsGiven) {
  Gateway g;
  g.uplink("mansion", Verdict::one_way).labels = {{"carrier", "isp"}, {"asn", "64500"}, {"floor", "3"}};
  const auto labels = g.look()[0].labels;
  EXPECT_EQ(labels.at("carrier"), "isp");
  EXPECT_EQ(labels.at("asn"), "64500");
  EXPECT_FALSE(labels.contains("floor"));
}

TEST(Conditions, AFaultIsFreshForAnHour) {
  Gateway g;
  g.uplink("mansion", Verdict::down).last_change = to_unix_seconds(g.now.wall);
  EXPECT_THAT(g.names(59min), ElementsAre("UplinkDown", "UplinkFaultFresh"));
  EXPECT_THAT(g.names(2min), ElementsAre("UplinkDown"));
}

TEST(Conditions, RoutesThatMissMismatchAndFlap) {
  Gateway g;
  g.snapshot.routes = {{"192.0.2.1", "five_g", false, "mansion", "eth2", "203.0.113.1", "main", "why", 0},
                       {"192.0.2.2", "five_g", false, "", "", "", "", "no route", 0},
                       {"192.0.2.3", "five_g", true, "five_g", "eth1", "", "main", "", 0},
                       {"unresolved.example", "five_g", std::nullopt, "", "", "", "", "", 0}};
  EXPECT_THAT(g.names(), ElementsAre("UplinkRouteMismatch", "UplinkRouteMissing"));
  g.snapshot.routes[2].changes = 5;
  EXPECT_THAT(g.names(5s), ElementsAre("UplinkRouteMismatch", "UplinkRouteMissing", "UplinkRouteFlapping"));
}

TEST(Conditions, ReturnLostIsNeverAPage) {
  Gateway g;
  g.uplink("mansion", Verdict::return_lost);
  EXPECT_THAT(g.names(), ElementsAre());
}

TEST(Conditions, RoutesIntoADeadTunnelAreToldInTheirOwnWords) {
  Gateway g;
  g.tunnel("reconnecting").routes_fault = "3 routes lead (10.9.0.0/24) into tun0";
  EXPECT_THAT(g.names(), ElementsAre("UplinkOpenvpnDisconnected", "UplinkTunnelBlackhole"));
  EXPECT_EQ(g.look()[1].description, "Tunnel cloud: 3 routes lead (10.9.0.0/24) into tun0.");
}

TEST(Conditions, TheRemedyNamesTheHealthyUplinkOrSaysThatThereIsNone) {
  Gateway g;
  g.uplink("mansion", Verdict::one_way);
  EXPECT_THAT(g.look()[0].description, HasSubstr("none that is healthy"));
  g.uplink("five_g", Verdict::healthy);
  EXPECT_THAT(g.look()[0].description,
              HasSubstr("`ip route add VPN-SERVER/32 via 192.0.2.1 dev eth-five_g` (five_g is healthy)"));
}

TEST(Conditions, ADeadReflectorIsOneAlertHoweverManyUplinksSeeIt) {
  Gateway g;
  for (const char* name : {"mansion", "five_g"}) {
    auto path = std::make_shared<metrics::Path>();
    path->reflector = "cloud";
    path->conclusion = {Verdict::reflector_down, "It refuses."};
    g.uplink(name, Verdict::healthy).paths = {path};
  }
  EXPECT_THAT(g.names(), ElementsAre("UplinkReflectorDown"));
}

TEST(Conditions, ThreeReconnectsInFiveMinutesAreALoopUntilTheTunnelStands) {
  Gateway g;
  auto& t = g.tunnel("connected");
  t.last_connected = to_unix_seconds(g.now.wall);
  std::uint64_t& count = t.reconnects[{"ping-restart", "connected"}];
  EXPECT_THAT(g.names(), ElementsAre());
  for (int i = 0; i < 2; ++i) {
    ++count;
    EXPECT_THAT(g.names(30s), ElementsAre());
  }
  ++count;
  t.last_connected = to_unix_seconds(g.now.wall);
  EXPECT_THAT(g.names(30s), ElementsAre("UplinkOpenvpnReconnectLoop"));
  EXPECT_THAT(g.names(61s), ElementsAre()) << "it has stood for 90 s";
}

TEST(Conditions, RestartsHoursApartAreNoLoop) {
  Gateway g;
  auto& t = g.tunnel("wait");
  std::uint64_t& count = t.reconnects[{"ping-restart", "connected"}];
  for (int i = 0; i < 5; ++i) {
    ++count;
    EXPECT_THAT(g.names(3h), ElementsAre("UplinkOpenvpnDisconnected"));
  }
}

TEST(Conditions, HandshakesThatAllFail) {
  Gateway g;
  auto& t = g.tunnel("wait");
  g.names();
  t.handshakes_failed = 3;
  EXPECT_THAT(g.names(60s), ElementsAre("UplinkOpenvpnDisconnected", "UplinkOpenvpnHandshakeFailing"));
  t.handshakes_completed = 1;
  EXPECT_THAT(g.names(60s), ElementsAre("UplinkOpenvpnDisconnected"));
}

TEST(Conditions, ATunnelOfWhichNothingIsKnownIsNotCalledDisconnected) {
  Gateway g;
  g.tunnel("unknown");
  EXPECT_THAT(g.names(), ElementsAre());
}

TEST(Conditions, DiagnosesAndTheMachine) {
  Gateway g;
  for (const char* diagnosis : {"one_way_loop", "auth_failure", "shared_common_name", "keepalive_mismatch",
                                "wrong_reply_source", "server_restart", "unknown"})
    g.tunnel("connected").diagnosis = diagnosis;
  g.snapshot.conntrack = metrics::Conntrack{};
  g.snapshot.conntrack->limit = 100;
  g.snapshot.conntrack->entries = 91;
  g.snapshot.collectors = {{"netlink", false, "no socket", false}};
  g.snapshot.config_reload_ok = false;
  EXPECT_THAT(g.names(), ElementsAre("UplinkOpenvpnOneWayLoop", "UplinkOpenvpnAuthFailure",
                                     "UplinkOpenvpnSharedCommonName", "UplinkOpenvpnKeepaliveMismatch",
                                     "UplinkOpenvpnWrongReplySource", "UplinkExporterReloadFailed",
                                     "UplinkConntrackNearlyFull", "UplinkExporterCollectorDown"));
}

}  // namespace
}  // namespace ue::alert
