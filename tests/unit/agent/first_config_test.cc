#include "agent/first_config.h"

#include <gmock/gmock.h>

#include "config/config.h"

namespace ue::agent {
namespace {

using testing::HasSubstr;

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
  const auto text = first_config({}, {});
  EXPECT_EQ(parsed(text), parsed(""));
  EXPECT_THAT(text, HasSubstr("No OpenVPN configuration was found"));
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
  const auto text = first_config(gateway(), {client, same_name});
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
  const auto config = parsed(first_config(gateway(), {}, "vpn.example.net:40862"));
  ASSERT_EQ(config.reflectors.size(), 1u);
  EXPECT_EQ(config.reflectors[0].address.to_string(), "vpn.example.net:40862");
  EXPECT_EQ(config.reflectors[0].key_file, "/etc/uplink_exporter/cloud.key");
}

}  // namespace
}  // namespace ue::agent
