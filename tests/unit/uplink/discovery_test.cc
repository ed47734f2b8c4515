#include "uplink/discovery.h"

#include <gtest/gtest.h>

#include "ip.h"

namespace ue::uplink {
namespace {

constexpr std::uint32_t kMain = 254;

Link link(int index, const char* name, const char* kind = "") {
  Link l;
  l.index = index;
  l.name = name;
  l.kind = kind;
  l.up = l.carrier = true;
  return l;
}

Address address(const char* text, std::uint8_t length) {
  Address a;
  a.address = ip(text);
  a.prefix_length = length;
  a.global = !a.address.is_link_local();
  return a;
}

DefaultRoute route(int ifindex, const char* gateway, std::uint32_t metric = 0, std::uint32_t table = kMain) {
  DefaultRoute r;
  r.table = table;
  r.ifindex = ifindex;
  r.metric = metric;
  r.gateway = ip(gateway);
  r.family = r.gateway->family();
  return r;
}

/// The seed's gateway: eth2 is the carrier with the default route, eth1 the 5G router with none.
Inventory seed() {
  Inventory inventory;
  inventory.links = {link(1, "lo"), link(2, "eth1"), link(3, "eth2"), link(4, "tun0", "tun")};
  inventory.links[0].loopback = true;
  inventory.links[1].addresses = {address("192.168.100.2", 24)};
  inventory.links[2].addresses = {address("123.45.0.2", 24)};
  inventory.links[3].addresses = {address("10.8.0.2", 24)};
  inventory.links[3].point_to_point = true;
  inventory.default_routes = {route(3, "123.45.0.1")};
  return inventory;
}

config::Uplink uplink(const char* interface, Family family = Family::ipv4) {
  config::Uplink u;
  u.name = "five_g";
  u.interface = interface;
  u.family = family;
  return u;
}

std::vector<std::string> names(const std::vector<config::Uplink>& uplinks) {
  std::vector<std::string> out;
  for (const auto& u : uplinks) out.push_back(u.name);
  return out;
}

using Names = std::vector<std::string>;

TEST(Discover, TakesEveryInterfaceWithAGatewayedDefaultRouteInAnyTable) {
  auto inventory = seed();
  EXPECT_EQ(names(discover(inventory)), Names{"eth2"});
  inventory.default_routes.push_back(route(2, "192.168.100.1", 0, 101));
  EXPECT_EQ(names(discover(inventory)), (Names{"eth1", "eth2"}));
}

TEST(Discover, DualStackGivesTwoWithStableNames) {
  auto inventory = seed();
  inventory.default_routes = {route(3, "fe80::1", 1024), route(3, "123.45.0.1"), route(3, "123.45.0.1", 100),
                              route(2, "fe80::2", 1024)};
  const auto uplinks = discover(inventory);
  EXPECT_EQ(names(uplinks), (Names{"eth1_v6", "eth2", "eth2_v6"}));
  EXPECT_EQ(uplinks[0].interface, "eth1");
  EXPECT_EQ(uplinks[0].family, Family::ipv6);
  EXPECT_EQ(uplinks[1].family, Family::ipv4);
  EXPECT_FALSE(uplinks[1].gateway) << "what is discovered stays with the kernel's routes";
}

TEST(Discover, LeavesOutTunnelsAndLoopback) {
  for (const auto* kind : {"tun", "wireguard", "gre", "sit", "xfrm", "vxlan", "ovpn"}) {
    auto inventory = seed();
    inventory.links[3].kind = kind;
    inventory.default_routes = {route(4, "10.8.0.1"), route(1, "127.0.0.1")};
    EXPECT_TRUE(discover(inventory).empty()) << kind;
  }
}

TEST(Discover, TakesVlansBridgesAndPpp) {
  for (const auto* kind : {"", "vlan", "bridge", "bond", "veth", "macvlan", "ppp", "wwan"}) {
    auto inventory = seed();
    inventory.links[2].kind = kind;
    EXPECT_EQ(names(discover(inventory)), Names{"eth2"}) << kind;
  }
  auto inventory = seed();
  inventory.links[2].point_to_point = true;
  inventory.default_routes[0].gateway.reset();
  EXPECT_EQ(names(discover(inventory)), Names{"eth2"}) << "default dev ppp0";
  inventory.links[2].point_to_point = false;
  EXPECT_TRUE(discover(inventory).empty());
}

TEST(Resolve, UsableUplink) {
  const auto state = resolve(uplink("eth2"), seed());
  EXPECT_TRUE(state.present && state.link_up && state.has_route);
  EXPECT_EQ(state.ifindex, 3);
  EXPECT_EQ(state.source, ip("123.45.0.2"));
  EXPECT_EQ(state.gateway, ip("123.45.0.1"));
  EXPECT_EQ(state.fault, "");
  EXPECT_TRUE(state.usable());
}

TEST(Resolve, ConfiguredGatewayStandsInForARoute) {
  auto five_g = uplink("eth1");
  EXPECT_EQ(resolve(five_g, seed()).fault,
            "no default route through eth1 in any table and no gateway: configured (set `gateway:` of uplink "
            "five_g)");
  five_g.gateway = ip("192.168.100.1");
  const auto state = resolve(five_g, seed());
  EXPECT_EQ(state.fault, "");
  EXPECT_EQ(state.gateway, ip("192.168.100.1"));
}

TEST(Resolve, PointToPointNeedsNoGateway) {
  const auto state = resolve(uplink("tun0"), seed());
  EXPECT_EQ(state.fault, "");
  EXPECT_TRUE(state.has_route);
  EXPECT_FALSE(state.gateway);
}

TEST(Resolve, FaultsSayWhatIsMissing) {
  auto inventory = seed();
  EXPECT_EQ(resolve(uplink("eth9"), inventory).fault, "interface eth9 does not exist");
  EXPECT_FALSE(resolve(uplink("eth9"), inventory).present);
  EXPECT_EQ(resolve(uplink("eth2", Family::ipv6), inventory).fault,
            "eth2 has no IPv6 address (look at its DHCP client or router)");
  inventory.links[2].addresses = {address("169.254.3.4", 16)};
  EXPECT_EQ(resolve(uplink("eth2"), inventory).fault,
            "eth2 has no IPv4 address (look at its DHCP client or router)");
  inventory.links[2].carrier = false;
  EXPECT_EQ(resolve(uplink("eth2"), inventory).fault,
            "eth2 has no carrier (look at its cable, modem or router)");
  inventory.links[2].up = false;
  EXPECT_EQ(resolve(uplink("eth2"), inventory).fault, "interface eth2 is switched off (ip link set eth2 up)");
  EXPECT_FALSE(resolve(uplink("eth2"), inventory).link_up);
  inventory = seed();
  inventory.links[2].addresses.push_back(address("2001:db8::2", 64));
  EXPECT_EQ(resolve(uplink("eth2", Family::ipv6), inventory).fault,
            "no IPv6 default route through eth2 in any table and no gateway: configured (set `gateway:` of "
            "uplink five_g)");
}

TEST(Resolve, GatewayComesFromTheBestRoute) {
  auto inventory = seed();
  inventory.default_routes = {route(3, "123.45.0.9", 0, 101), route(3, "123.45.0.8", 200),
                              route(3, "123.45.0.7", 100)};
  EXPECT_EQ(resolve(uplink("eth2"), inventory).gateway, ip("123.45.0.7"))
      << "main before others, lowest metric";
}

TEST(Resolve, Ipv4SourceLiesNearTheGateway) {
  auto inventory = seed();
  inventory.links[2].addresses = {address("10.0.0.5", 8), address("123.45.0.2", 24),
                                  address("123.45.0.3", 24)};
  inventory.links[2].addresses[2].secondary = true;
  EXPECT_EQ(resolve(uplink("eth2"), inventory).source, ip("123.45.0.2"));
  inventory.default_routes[0].preferred_source = ip("123.45.0.3");
  EXPECT_EQ(resolve(uplink("eth2"), inventory).source, ip("123.45.0.3"));
}

TEST(Resolve, SubnetsThatDoNotEndOnAnOctet) {
  auto inventory = seed();
  inventory.links[2].addresses = {address("123.45.0.66", 26), address("123.45.0.2", 26)};
  EXPECT_EQ(resolve(uplink("eth2"), inventory).source, ip("123.45.0.2"));
  inventory.links[2].addresses = {address("10.0.0.1", 30), address("11.0.0.1", 0)};
  EXPECT_EQ(resolve(uplink("eth2"), inventory).source, ip("11.0.0.1")) << "/0 contains everything";
}

TEST(Resolve, Ipv6SourceIsStableGlobalAndCurrent) {
  auto inventory = seed();
  inventory.default_routes = {route(3, "fe80::1", 1024)};
  auto& addresses = inventory.links[2].addresses;
  const auto source = [&] { return resolve(uplink("eth2", Family::ipv6), inventory).source; };
  addresses = {address("fe80::2", 64), address("fd00::2", 64)};
  EXPECT_EQ(source(), ip("fd00::2")) << "unique local is better than none";
  addresses.push_back(address("2001:db8::aaaa", 64));
  addresses.back().temporary = true;
  EXPECT_EQ(source(), ip("2001:db8::aaaa")) << "a global one, even if temporary";
  addresses.push_back(address("2001:db8::2", 64));
  EXPECT_EQ(source(), ip("2001:db8::2")) << "stable before temporary";
  addresses.back().deprecated = true;
  EXPECT_EQ(source(), ip("2001:db8::aaaa"));
  addresses.back() = address("2001:db8::3", 64);
  addresses.back().usable = false;
  EXPECT_EQ(source(), ip("2001:db8::aaaa")) << "duplicate address detection still runs";
}

TEST(SameBinding, OnlyIndexAndAddressRebuildSockets) {
  const auto before = resolve(uplink("eth2"), seed());
  auto after = before;
  after.link_up = false;
  after.gateway.reset();
  after.fault = "eth2 has no carrier";
  EXPECT_TRUE(same_binding(before, after)) << "a link that flaps keeps its sockets";
  after = before;
  after.ifindex = 17;
  EXPECT_FALSE(same_binding(before, after));
  after = before;
  after.source = ip("123.45.0.77");
  EXPECT_FALSE(same_binding(before, after));
  after = before;
  after.present = false;
  EXPECT_FALSE(same_binding(before, after));
}

}  // namespace
}  // namespace ue::uplink
