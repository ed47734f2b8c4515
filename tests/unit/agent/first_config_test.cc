#include "agent/first_config.h"

#include <gmock/gmock.h>

#include "config/config.h"
#include "uplink/probe_route.h"

namespace ue::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The seed's gateway: one uplink with a default route, one address beside it, and a tunnel.
uplink::Inventory gateway() {
  uplink::Inventory inventory;
  uplink::Link eth2;
  eth2.index = 3;
  eth2.name = "eth2";
  eth2.up = eth2.carrier = true;
  eth2.addresses.push_back(
      {.address = *IpAddress::parse("203.0.113.10"), .prefix_length = 24, .global = true});
  inventory.links.push_back(eth2);
  uplink::DefaultRoute route;
  route.ifindex = 3;
  route.gateway = IpAddress::parse("203.0.113.1");
  inventory.default_routes.push_back(route);
  return inventory;
}

config::Config parsed(const std::string& text) {
  const auto config = config::parse_config(text, "made.yml");
  EXPECT_TRUE(config) << config.error() << "\n" << text;
  return config ? *config : config::Config{};
}

TEST(FirstConfig, AnEmptyMachineGetsAFileThatIsGoodAsItStands) {
  const auto text = first_config({});
  EXPECT_EQ(parsed(text), parsed(""));
  EXPECT_THAT(text, HasSubstr("No OpenVPN configuration was found in /etc/openvpn.\n"));
  EXPECT_THAT(first_config({{}, {}, {}, "/srv/vpn"}), HasSubstr("was found in /srv/vpn.\n"));
}

TEST(FirstConfig, NamesWhatIsThere) {
  const openvpn::FoundTunnel client{"cloud",
                                    "/etc/openvpn/client/cloud.conf",
                                    false,
                                    "vpn.example.net",
                                    "",
                                    "",
                                    "openvpn-client@cloud.service",
                                    "unix:/run/o.sock"};
  openvpn::FoundTunnel same_name = client;
  same_name.journal.clear();
  same_name.log = "/var/log/a \"b\".log";
  const auto text = first_config({gateway(), {}, {client, same_name}});
  const auto config = parsed(text);
  ASSERT_EQ(config.uplinks.size(), 1u);
  EXPECT_EQ(config.uplinks[0].name, "eth2");
  ASSERT_EQ(config.openvpn.size(), 2u);
  EXPECT_EQ(config.openvpn[0].journal, "openvpn-client@cloud.service");
  EXPECT_EQ(config.openvpn[0].management, "") << "it is opt-in";
  EXPECT_EQ(config.openvpn[1].name, "cloud_2");
  EXPECT_EQ(config.openvpn[1].log, "/var/log/a \"b\".log");
  EXPECT_THAT(text, HasSubstr("203.0.113.10 via 203.0.113.1"));
  EXPECT_THAT(text, HasSubstr("#  - {name: cloud, address: \"vpn.example.net:40862\""));
}

TEST(FirstConfig, AReflectorThatIsGivenIsInForce) {
  const auto config = parsed(first_config({gateway(), {}, {}}, "vpn.example.net:40862"));
  ASSERT_EQ(config.reflectors.size(), 1u);
  EXPECT_EQ(config.reflectors[0].address.to_string(), "vpn.example.net:40862");
  EXPECT_EQ(config.reflectors[0].key_file, "/etc/uplink_exporter/cloud.key");
}

uplink::SpareLine spare_line_of(const char* interface, const char* source) {
  uplink::SpareLine line;
  line.interface = interface;
  line.source = *IpAddress::parse(source);
  return line;
}

uplink::RoutedGateway router_at(const char* address, const char* destination, std::uint8_t length) {
  return {2, *IpAddress::parse(address), *IpAddress::parse(destination), length, true};
}

/// As somebody does who takes the # away from the line that has `words`.
std::string uncommented(std::string text, const std::string& words) {
  const auto at = text.rfind('#', text.find(words));
  return at == std::string::npos ? text : text.replace(at, 1, "");
}

TEST(FirstConfig, OffersASpareLineWithTheGatewayThatARouteNames) {
  Found found{gateway(), {spare_line_of("eth1", "192.168.0.2")}, {}};
  found.spare[0].router = router_at("192.168.0.1", "111.222.33.44", 32);
  const auto text = first_config(found);
  EXPECT_EQ(parsed(text).uplinks.size(), 1u) << "it may be a LAN";
  EXPECT_THAT(text, HasSubstr("# 192.168.0.2; packets for 111.222.33.44 leave through that gateway\n"));
  EXPECT_THAT(text, Not(HasSubstr("spare, interface"))) << "the example is for where nothing is found";
  const auto config = parsed(uncommented(text, "- {name: \"eth1\""));
  ASSERT_EQ(config.uplinks.size(), 2u);
  EXPECT_EQ(config.uplinks[1].interface, "eth1");
  EXPECT_EQ(config.uplinks[1].gateway, IpAddress::parse("192.168.0.1"));
}

TEST(FirstConfig, ASpareLineWhoseRouterNobodyKnowsIsRefusedUntilItIsFilledIn) {
  Found found{gateway(), {spare_line_of("eth1", "192.168.0.2"), spare_line_of("ppp0", "100.64.0.7")}, {}};
  found.spare[1].needs_gateway = false;
  const auto text = first_config(found);
  EXPECT_THAT(text, HasSubstr("put its router's address for ROUTER"));
  const auto config = config::parse_config(uncommented(text, "- {name: \"eth1\""), "made.yml");
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error(), HasSubstr("made.yml:8:"));
  EXPECT_THAT(config.error(), HasSubstr("gateway"));
  EXPECT_EQ(parsed(uncommented(text, "- {name: \"ppp0\"")).uplinks.size(), 2u);
}

TEST(FirstConfig, SpareLinesOfIpv6AndWithoutAnyUplinkParseWhenTheyAreUncommented) {
  Found found{{}, {spare_line_of("eth1", "2001:db8:1::2")}, {}};
  found.spare[0].family = Family::ipv6;
  found.spare[0].router = router_at("2001:db8:1::", "2001:db8:f::", 48);
  const auto text = first_config(found);
  EXPECT_EQ(parsed(text), parsed(""));
  const auto config = parsed(uncommented(uncommented(text, "uplinks:"), "- {name: \"eth1_v6\""));
  ASSERT_EQ(config.uplinks.size(), 1u) << text;
  EXPECT_EQ(config.uplinks[0].name, "eth1_v6");
  EXPECT_EQ(config.uplinks[0].family, Family::ipv6);
  EXPECT_EQ(config.uplinks[0].gateway, found.spare[0].router->gateway);
}

TEST(FirstConfig, SaysHowManySpareLinesItLeavesOut) {
  Found found{gateway(), std::vector(11, spare_line_of("eth1", "192.168.0.2")), {}};
  EXPECT_THAT(first_config(found), HasSubstr("... and 3 more\n"));
}

TEST(FirstConfig, ALineThatOnlyTheRunningAgentsOwnRouteShowsKeepsItsGateway) {
  auto inventory = gateway();
  inventory.default_routes[0].table = uplink::kProbeTableBase + 3;
  const auto config = parsed(first_config({inventory, {}, {}}));
  ASSERT_EQ(config.uplinks.size(), 1u);
  EXPECT_EQ(config.uplinks[0].gateway, IpAddress::parse("203.0.113.1"));
  EXPECT_EQ(parsed(first_config({gateway(), {}, {}})).uplinks[0].gateway, std::nullopt);
}

}  // namespace
}  // namespace ue::agent
