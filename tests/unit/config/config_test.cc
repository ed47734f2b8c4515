#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "cases.h"

namespace ue::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Config parsed(std::string_view yaml) {
  auto config = parse_config(yaml, "c.yaml");
  if (config) return *config;
  ADD_FAILURE() << config.error();
  return {};
}

const std::vector<Nanos> kDefaultHolds{1s, 2s, 5s, 10s, 20s, 30s, 60s, 120s};

TEST(Config, AnEmptyFileIsTheDefault) {
  for (const auto* text : {"", "\n\n", "# nothing yet\n", "---\n", "---\n...\n", "{}", "\xef\xbb\xbf"}) {
    const Config c = parsed(text);
    EXPECT_THAT(c.uplinks, IsEmpty());
    std::vector<std::string> servers;
    for (const auto& r : c.reflectors) {
      servers.push_back(r.name + " " + r.address.to_string());
      EXPECT_EQ(r.protocol, Protocol::stun);
      EXPECT_TRUE(r.built_in);
    }
    EXPECT_THAT(servers, ElementsAre("google stun.l.google.com:19302", "cloudflare stun.cloudflare.com:3478",
                                     "nextcloud stun.nextcloud.com:3478"));
    EXPECT_THAT(c.witnesses,
                ElementsAre(HostPort{"stun.l.google.com", 19302}, HostPort{"stun.cloudflare.com", 3478}));
    EXPECT_EQ(c.probe.profile, Profile::standard);
    EXPECT_EQ(c.probe.interval, 1s);
    EXPECT_EQ(c.probe.fresh_interval, 30s);
    EXPECT_EQ(c.probe.ladder_interval, 5min);
    EXPECT_EQ(c.probe.holds, kDefaultHolds);
    EXPECT_DOUBLE_EQ(c.probe.loss_threshold, 0.05);
    EXPECT_THAT(c.openvpn, IsEmpty());
    EXPECT_THAT(c.routes, IsEmpty());
    EXPECT_THAT(c.alertmanagers, IsEmpty());
  }
}

TEST(Config, TheExampleOfTheDesign) {
  const Config c = parsed(read_data("example.yaml"));
  ASSERT_EQ(c.uplinks.size(), 2U);
  EXPECT_EQ(c.uplinks[0].name, "mansion");
  EXPECT_EQ(c.uplinks[0].interface, "eth2");
  EXPECT_EQ(c.uplinks[0].gateway, IpAddress::parse("123.45.0.1"));
  EXPECT_EQ(c.uplinks[0].family, Family::ipv4);
  EXPECT_EQ(c.uplinks[0].fwmark, 0x100U);
  EXPECT_THAT(c.uplinks[0].labels, ElementsAre(Pair("asn", "64500"), Pair("carrier", "example-isp")));
  ASSERT_EQ(c.reflectors.size(), 1U);
  EXPECT_EQ(c.reflectors[0].name, "cloud");
  EXPECT_EQ(c.reflectors[0].address, (HostPort{"vpn.example.net", 862}));
  EXPECT_EQ(c.reflectors[0].protocol, Protocol::stamp);
  EXPECT_EQ(c.reflectors[0].key_file, "/etc/uplink_exporter/cloud.key");
  EXPECT_THAT(c.witnesses, ElementsAre(HostPort{"stun.example.net", 3478}));
  EXPECT_EQ(c.probe.profile, Profile::standard);
  EXPECT_EQ(c.probe.holds, kDefaultHolds);
  ASSERT_EQ(c.openvpn.size(), 1U);
  EXPECT_EQ(c.openvpn[0].name, "cloud");
  EXPECT_EQ(c.openvpn[0].log, "/var/log/openvpn/client.log");
  EXPECT_EQ(c.openvpn[0].journal, "");
  EXPECT_EQ(c.openvpn[0].status, "/run/openvpn/client.status");
  EXPECT_EQ(c.openvpn[0].management, "unix:/run/openvpn/client.sock");
  EXPECT_EQ(c.openvpn[0].reflector, "cloud");
  ASSERT_EQ(c.routes.size(), 1U);
  EXPECT_EQ(c.routes[0].destination, "111.222.33.44");
  EXPECT_EQ(c.routes[0].uplink, "five_g");
}

// The design's own listing shows the first of two uplinks only; as it stands its route leads nowhere.
TEST(Config, TheExampleNeedsItsSecondUplink) {
  std::string text = read_data("example.yaml");
  const auto line = text.find("  - {name: five_g");
  ASSERT_NE(line, std::string::npos);
  text.erase(line, text.find('\n', line) + 1 - line);
  const auto config = parse_config(text, "c.yaml");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.error(), "c.yaml:23:13: routes[0].uplink: no entry of uplinks has the name \"five_g\"");
}

TEST(Config, PortsByProtocol) {
  const Config c = parsed(
      "reflectors:\n"
      "  - {name: a, address: vpn.example.net}\n"
      "  - {name: b, address: 192.0.2.1, protocol: stun}\n"
      "  - {name: c, address: \"[2001:db8::1]\"}\n"
      "  - {name: d, address: \"[2001:db8::1]:10862\", protocol: stamp}\n"
      "  - {protocol: stun, address: stun.example.net:19302, name: e}\n"
      "witnesses: [stun.example.net, 192.0.2.2:5349]\n");
  std::vector<std::string> addresses;
  for (const auto& r : c.reflectors) addresses.push_back(r.address.to_string());
  EXPECT_THAT(addresses, ElementsAre("vpn.example.net:862", "192.0.2.1:3478", "[2001:db8::1]:862",
                                     "[2001:db8::1]:10862", "stun.example.net:19302"));
  EXPECT_EQ(c.reflectors[4].protocol, Protocol::stun);
  EXPECT_THAT(c.witnesses, ElementsAre(HostPort{"stun.example.net", 3478}, HostPort{"192.0.2.2", 5349}));
}

TEST(Config, AnEmptyListOfReflectorsIsNoneAndAnotherReplacesTheDefault) {
  EXPECT_THAT(parsed("reflectors: []").reflectors, IsEmpty());
  const Config c = parsed("reflectors: [{name: a, address: 192.0.2.1, protocol: stun}]");
  ASSERT_EQ(c.reflectors.size(), 1U);
  EXPECT_FALSE(c.reflectors[0].built_in);
}

TEST(Config, AnEmptyListOfWitnessesIsNone) { EXPECT_THAT(parsed("witnesses: []").witnesses, IsEmpty()); }

TEST(Config, UplinksOfBothFamilies) {
  const Config c = parsed(
      "uplinks:\n"
      "  - {name: eth2, interface: eth2}\n"
      "  - {name: eth2_v6, interface: eth2, family: ipv6, gateway: \"fe80::1\", fwmark: 256}\n"
      "  - {name: a.b-c_D9, interface: enp0s31f6.4094, fwmark: 0xFFFFFFFF, labels: {_x1: no, note: '  '}}\n");
  EXPECT_EQ(c.uplinks[1].family, Family::ipv6);
  EXPECT_EQ(c.uplinks[1].gateway->to_string(), "fe80::1");
  EXPECT_EQ(c.uplinks[1].fwmark, 256U);
  EXPECT_EQ(c.uplinks[0].fwmark, 0U);
  EXPECT_EQ(c.uplinks[2].fwmark, 0xffffffffU);
  EXPECT_THAT(c.uplinks[2].labels, ElementsAre(Pair("_x1", "no"), Pair("note", "  ")));
}

TEST(Config, MeteredChangesWhatIsNotSaid) {
  const Probe p = parsed("probe: {profile: metered}").probe;
  EXPECT_EQ(p.profile, Profile::metered);
  EXPECT_EQ(p.interval, 15s);
  EXPECT_EQ(p.fresh_interval, 5min);
  EXPECT_EQ(p.ladder_interval, 1h);
  EXPECT_EQ(p.holds, kDefaultHolds);
  const Probe q = parsed("probe: {interval: 5s, profile: metered, holds: [100ms, 10m]}").probe;
  EXPECT_EQ(q.interval, 5s);
  EXPECT_EQ(q.fresh_interval, 5min);
  EXPECT_THAT(q.holds, ElementsAre(100ms, 600s));
}

TEST(Config, EndsOfTheRanges) {
  Probe p =
      parsed("probe: {interval: 100ms, fresh_interval: 5s, ladder_interval: 30s, loss_threshold: 0.001}")
          .probe;
  EXPECT_EQ(p.interval, 100ms);
  EXPECT_EQ(p.fresh_interval, 5s);
  EXPECT_EQ(p.ladder_interval, 30s);
  EXPECT_DOUBLE_EQ(p.loss_threshold, 0.001);
  p = parsed("probe: {interval: 1m, fresh_interval: 60m, ladder_interval: 24h, loss_threshold: .9}").probe;
  EXPECT_EQ(p.interval, 1min);
  EXPECT_EQ(p.fresh_interval, 1h);
  EXPECT_EQ(p.ladder_interval, 24h);
  EXPECT_DOUBLE_EQ(p.loss_threshold, 0.9);
}

TEST(Config, RoutesAndSources) {
  const Config c = parsed(
      "openvpn:\n"
      "  - {name: t, journal: openvpn-client@cloud.service}\n"
      "  - {name: u, management: 'tcp://127.0.0.1:7505', management_password_file: pw}\n"
      "  - {name: v, management: 'tcp://[::1]:7505'}\n"
      "routes:\n"
      "  - {destination: 10.0.0.0/8, uplink: found-later}\n"
      "  - {destination: '2001:db8::/32', uplink: found-later}\n"
      "  - {destination: 0.0.0.0/0, uplink: found-later}\n"
      "  - {destination: vpn.example.net, uplink: found-later}\n"
      "alertmanagers: [http://192.0.2.10:9093, 'https://am.example.net/prefix', 'http://[::1]:9093']\n");
  EXPECT_EQ(c.openvpn[0].journal, "openvpn-client@cloud.service");
  EXPECT_EQ(c.openvpn[1].management_password_file, "pw");
  EXPECT_EQ(c.routes[1].destination, "2001:db8::/32");
  EXPECT_EQ(c.alertmanagers.size(), 3U);
}

TEST(Config, QuotesAndStylesMakeNoDifference) {
  const Config c = parsed("\"uplinks\":\r\n- 'name': \"a\"\r\n  interface: |-\r\n    eth0\r\n");
  ASSERT_EQ(c.uplinks.size(), 1U);
  EXPECT_EQ(c.uplinks[0].name, "a");
  EXPECT_EQ(c.uplinks[0].interface, "eth0");
}

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() {
    std::string name = (std::filesystem::temp_directory_path() / "uplink_config_XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  ~ConfigFile() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& text) const {
    const std::string path = directory_ + "/c.yaml";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::string directory_;
};

TEST_F(ConfigFile, ErrorsBeginWithThePath) {
  const auto path = write("probe: {interval: 1s}\nrouts: []\n");
  EXPECT_EQ(load_config(path).error(), path + ":2:1: routs: unknown key; did you mean \"routes\"?");
  EXPECT_EQ(
      load_reflector_config(path).error(),
      path + ":1:1: probe: unknown key; expected one of listen, key_file, allow_unauthenticated, limits");
}

TEST_F(ConfigFile, PathsInItAreSeenFromItsDirectory) {
  const auto path = write(
      "reflectors: [{name: a, address: h, key_file: a.key}, {name: b, address: h, key_file: /b.key}, {name: "
      "c, address: h}]\n"
      "openvpn: [{name: t, log: l/log, status: status, management: 'unix:/m', management_password_file: "
      "pw}]\n");
  const auto config = load_config(path);
  ASSERT_TRUE(config.ok()) << config.error();
  EXPECT_EQ(config->reflectors[0].key_file, directory_ + "/a.key");
  EXPECT_EQ(config->reflectors[1].key_file, "/b.key");
  EXPECT_EQ(config->reflectors[2].key_file, "");
  EXPECT_EQ(config->openvpn[0].log, directory_ + "/l/log");
  EXPECT_EQ(config->openvpn[0].status, directory_ + "/status");
  EXPECT_EQ(config->openvpn[0].journal, "");
  EXPECT_EQ(config->openvpn[0].management_password_file, directory_ + "/pw");
  const auto reflector = load_reflector_config(write("key_file: r.key"));
  ASSERT_TRUE(reflector.ok()) << reflector.error();
  EXPECT_EQ(reflector->key_file, directory_ + "/r.key");
}

TEST_F(ConfigFile, WhatCannotBeReadSaysWhy) {
  EXPECT_EQ(load_config(directory_ + "/none").error(), directory_ + "/none: No such file or directory");
  EXPECT_EQ(load_config(directory_).error(), directory_ + ": Is a directory");
  EXPECT_EQ(load_reflector_config(directory_ + "/none").error(),
            directory_ + "/none: No such file or directory");
  const auto path = write(std::string((1 << 20) + 1, '#'));
  EXPECT_EQ(load_config(path).error(), path + ": larger than 1048576 octets");
  EXPECT_TRUE(load_config(write(std::string(1 << 20, '#'))).ok());
}

TEST(ReflectorConfig, Defaults) {
  const auto c = parse_reflector_config("key_file: /etc/k", "c.yaml");
  ASSERT_TRUE(c.ok()) << c.error();
  EXPECT_THAT(c->listen, ElementsAre(HostPort{"0.0.0.0", 862}, HostPort{"::", 862}));
  EXPECT_EQ(c->key_file, "/etc/k");
  EXPECT_FALSE(c->allow_unauthenticated);
  EXPECT_EQ(c->limits.max_sessions, 100'000U);
  EXPECT_EQ(c->limits.max_sessions_per_key, 1'000U);
  EXPECT_EQ(c->limits.packets_per_second_per_source, 200U);
  EXPECT_EQ(c->limits.query_connections, 64U);
  EXPECT_EQ(c->limits.max_holds, 100'000U);
}

TEST(ReflectorConfig, EveryKey) {
  const auto c = parse_reflector_config(read_data("reflector_example.yaml"), "c.yaml");
  ASSERT_TRUE(c.ok()) << c.error();
  EXPECT_THAT(c->listen, ElementsAre(HostPort{"0.0.0.0", 862}, HostPort{"::", 862},
                                     HostPort{"0.0.0.0", 20862}, HostPort{"2001:db8::1", 20862}));
  EXPECT_TRUE(c->allow_unauthenticated);
  EXPECT_EQ(c->limits.max_sessions, 5000U);
  EXPECT_EQ(c->limits.max_sessions_per_key, 50U);
  EXPECT_EQ(c->limits.packets_per_second_per_source, 400U);
  EXPECT_EQ(c->limits.query_connections, 8U);
}

TEST(ReflectorConfig, WithoutAKeyOnlyOnPurpose) {
  const auto c = parse_reflector_config("allow_unauthenticated: true", "c.yaml");
  ASSERT_TRUE(c.ok()) << c.error();
  EXPECT_EQ(c->key_file, "");
}

TEST(ReflectorConfig, TheLimitOfAKeyFollowsASmallerOneOfAll) {
  const auto c = parse_reflector_config("{key_file: /k, limits: {max_sessions: 10}}", "c.yaml");
  ASSERT_TRUE(c.ok()) << c.error();
  EXPECT_EQ(c->limits.max_sessions_per_key, 10U);
}

}  // namespace
}  // namespace ue::config
