#include "uplink/spare_lines.h"

#include <gmock/gmock.h>

#include "lab.h"

namespace ue::uplink {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using RoutedGateways = Lab;

IpAddress parsed(const char* text) { return *IpAddress::parse(text); }

Link spare_link(int index, const char* name, const char* own, std::uint8_t length, const char* kind = "") {
  Link l;
  l.index = index;
  l.name = name;
  l.kind = kind;
  l.up = l.carrier = true;
  Address a;
  a.address = parsed(own);
  a.prefix_length = length;
  a.global = true;
  l.addresses = {a};
  return l;
}

RoutedGateway routed(int ifindex, const char* gateway, const char* destination, std::uint8_t length,
                     bool to_public) {
  return {ifindex, parsed(gateway), parsed(destination), length, to_public};
}

/// The seed's gateway: eth1 has the 5G router, eth2 the default route, br-lan the LAN.
Inventory seeds_gateway() {
  Inventory inventory;
  inventory.links = {spare_link(1, "lo", "127.0.0.1", 8), spare_link(2, "eth1", "192.168.0.2", 24),
                     spare_link(3, "eth2", "123.45.0.2", 21),
                     spare_link(4, "br-lan", "192.168.10.2", 24, "bridge"),
                     spare_link(5, "tun0", "10.9.0.10", 32, "tun")};
  inventory.links[0].loopback = true;
  inventory.default_routes = {{254, Family::ipv4, 3, parsed("123.45.0.1"), 0, {}}};
  return inventory;
}

std::vector<std::string> told(const Inventory& inventory, const std::vector<RoutedGateway>& gateways = {}) {
  std::vector<std::string> out;
  for (const auto& line : spare_lines(inventory, gateways)) {
    out.push_back(line.interface + (line.family == Family::ipv6 ? " v6 " : " ") + line.source.to_string() +
                  (line.router          ? " via " + line.router->gateway.to_string()
                   : line.needs_gateway ? " via ?"
                                        : ""));
  }
  return out;
}

TEST(SpareLines, TheSeedsSecondLineIsOneAndItsLanIsNot) {
  EXPECT_THAT(told(seeds_gateway()), ElementsAre("eth1 192.168.0.2 via ?"));
  EXPECT_THAT(told(seeds_gateway(), {routed(2, "192.168.0.1", "111.222.33.44", 32, true)}),
              ElementsAre("eth1 192.168.0.2 via 192.168.0.1"));
}

TEST(SpareLines, ARouterOfTheHousesOwnGivesWayToOneThatLeadsOut) {
  const auto inner = routed(2, "192.168.0.3", "10.0.0.0", 8, false);
  EXPECT_THAT(told(seeds_gateway(), {inner}), ElementsAre("eth1 192.168.0.2 via 192.168.0.3"));
  EXPECT_THAT(told(seeds_gateway(), {inner, routed(2, "192.168.0.1", "111.222.33.44", 32, true)}),
              ElementsAre("eth1 192.168.0.2 via 192.168.0.1"));
}

TEST(SpareLines, WhatLooksLikeALanIsOneOnlyWhereSomethingPublicLiesBehindIt) {
  const auto inner = routed(4, "192.168.10.9", "10.0.0.0", 8, false);
  const auto outer = routed(4, "192.168.10.9", "111.222.33.44", 32, true);
  auto inventory = seeds_gateway();
  inventory.links.erase(inventory.links.begin() + 1);
  EXPECT_THAT(told(inventory, {inner}), IsEmpty());
  EXPECT_THAT(told(inventory, {outer}), ElementsAre("br-lan 192.168.10.2 via 192.168.10.9"));
  inventory.links[2].kind = "";
  EXPECT_THAT(told(inventory, {}), ElementsAre("br-lan 192.168.10.2 via ?"));
  inventory.links[2].addresses[0].address = parsed("192.168.10.1");
  EXPECT_THAT(told(inventory, {inner}), IsEmpty()) << "its address is that of a LAN's router";
  EXPECT_THAT(told(inventory, {outer}), ElementsAre("br-lan 192.168.10.1 via 192.168.10.9"));
  inventory.links[2].addresses[0].address = parsed("123.45.8.1");
  EXPECT_THAT(told(inventory), ElementsAre("br-lan 123.45.8.1 via ?")) << "no LAN has a public address";
}

TEST(SpareLines, OfIpv6OnlyThoseThatARouteLeadsOutOf) {
  auto inventory = seeds_gateway();
  inventory.links[1] = spare_link(2, "eth1", "2001:db8:1::2", 64);
  EXPECT_THAT(told(inventory), IsEmpty());
  EXPECT_THAT(told(inventory, {routed(2, "fe80::1", "2001:db8:f::1", 128, true)}),
              ElementsAre("eth1 v6 2001:db8:1::2 via fe80::1"));
}

TEST(SpareLines, NeitherSwitchedOffNorWithoutAnAddressNorFoundAlready) {
  auto inventory = seeds_gateway();
  inventory.links[1].up = false;
  EXPECT_THAT(told(inventory), IsEmpty());
  inventory.links[1].up = true;
  inventory.links[1].carrier = false;
  EXPECT_THAT(told(inventory), ElementsAre("eth1 192.168.0.2 via ?")) << "its router is switched off now";
  inventory.default_routes.push_back({101, Family::ipv4, 2, parsed("192.168.0.1"), 0, {}});
  EXPECT_THAT(told(inventory), IsEmpty());
  inventory.default_routes.pop_back();
  inventory.links[1].addresses[0].global = false;
  EXPECT_THAT(told(inventory), IsEmpty());
}

TEST(SpareLines, APointToPointLinkNeedsNoGatewayAndKnownRoutersComeFirst) {
  auto inventory = seeds_gateway();
  inventory.links[1] = spare_link(2, "ppp0", "100.64.0.7", 32, "ppp");
  inventory.links[1].point_to_point = true;
  inventory.links.push_back(spare_link(6, "wwan0", "10.20.0.2", 30));
  EXPECT_THAT(told(inventory, {routed(6, "10.20.0.1", "111.222.33.44", 32, true)}),
              ElementsAre("wwan0 10.20.0.2 via 10.20.0.1", "ppp0 100.64.0.7"));
}

TEST_F(RoutedGateways, OfEveryRouteButTheDefaultOnesEachOnceAndAPublicDestinationBefore) {
  run("ip route add 10.0.0.0/8 via 192.168.100.1 dev eth1\n"
      "ip route add 203.0.113.10 via 192.168.100.1 dev eth1\n"
      "ip route add 203.0.113.11 via 192.168.100.7 dev eth1 table 77\n"
      "ip route add default via 192.168.100.9 dev eth1 table 101\n"
      "ip route add 10.7.0.0/16 dev eth1\n"
      "ip route add unreachable 10.8.0.0/16\n"
      "ip -6 route add 2001:db8:f::/48 via 2001:db8:1::1 dev eth1\n"
      "ip -6 route add 2000::/3 via 2001:db8:1::9 dev eth1");
  unprivileged([] {
    const auto gateways = read_routed_gateways();
    ASSERT_TRUE(gateways) << gateways.error();
    EXPECT_THAT(*gateways, testing::UnorderedElementsAre(
                               routed(index("eth1"), "192.168.100.1", "203.0.113.10", 32, true),
                               routed(index("eth1"), "192.168.100.7", "203.0.113.11", 32, true),
                               routed(index("eth1"), "2001:db8:1::1", "2001:db8:f::", 48, true)));
  });
}

TEST_F(RoutedGateways, OfEachNextHop) {
  run("ip route add 172.16.0.0/12 nexthop via 123.45.0.8 dev eth2 nexthop via 192.168.100.8 dev eth1");
  const auto gateways = read_routed_gateways();
  ASSERT_TRUE(gateways) << gateways.error();
  EXPECT_THAT(*gateways,
              testing::UnorderedElementsAre(routed(index("eth1"), "192.168.100.8", "172.16.0.0", 12, false),
                                            routed(index("eth2"), "123.45.0.8", "172.16.0.0", 12, false)));
}

}  // namespace
}  // namespace ue::uplink
