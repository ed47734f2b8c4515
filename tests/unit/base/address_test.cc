#include "base/address.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace ue {
namespace {

TEST(IpAddress, ParsesAndPrintsTheShortForm) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"::", "::"},
      {"fe80::1", "fe80::1"},
      {"::ffff:192.0.2.1", "192.0.2.1"},  // mapped
      {"::ffff:c000:201", "192.0.2.1"},
      {"::192.0.2.1", "::192.0.2.1"},  // compatible, which is not mapped
  };
  for (const auto& [text, printed] : rows) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), printed);
    EXPECT_EQ(IpAddress::parse(printed), address);
  }
}

TEST(IpAddress, RefusesWhatIsNone) {
  using namespace std::string_view_literals;
  for (const auto text :
       {""sv, "1.2.3"sv, "1.2.3.4.5"sv, "1.2.3.256"sv, "01.2.3.4"sv, " 1.2.3.4"sv, "1.2.3.4 "sv,
        "1.2.3.4\0x"sv, "[::1]"sv, "fe80::1%eth0"sv, "::1::"sv, "12345::"sv, "localhost"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(IpAddress, MappedAddressesAreIPv4) {
  std::array<std::uint8_t, 16> bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  EXPECT_EQ(IpAddress::v6(bytes), IpAddress::v4(0xc0000201));
  EXPECT_TRUE(IpAddress::v6(bytes).is_v4());
  EXPECT_EQ(IpAddress::v6(bytes).v4_value(), 0xc0000201U);
  bytes[0] = 0x20;
  EXPECT_EQ(IpAddress::v6(bytes).family(), Family::ipv6);
  EXPECT_EQ(IpAddress::v6(bytes).v4_value(), 0U);
}

TEST(IpAddress, Kinds) {
  const auto a = [](std::string_view text) { return IpAddress::parse(text).value(); };
  EXPECT_TRUE(a("0.0.0.0").is_unspecified());
  EXPECT_TRUE(a("::").is_unspecified());
  EXPECT_FALSE(a("::1").is_unspecified());
  EXPECT_TRUE(a("127.1.2.3").is_loopback());
  EXPECT_TRUE(a("::1").is_loopback());
  EXPECT_FALSE(a("::").is_loopback());
  EXPECT_FALSE(a("2001:db8::1").is_loopback());
  EXPECT_TRUE(a("169.254.0.1").is_link_local());
  EXPECT_TRUE(a("febf::1").is_link_local());
  EXPECT_FALSE(a("fec0::1").is_link_local());
  EXPECT_NE(a("0.0.0.0"), a("::"));
}

TEST(Endpoint, SurvivesASockaddr) {
  for (const std::string text : {"192.0.2.1", "2001:db8::1"}) {
    const Endpoint before{IpAddress::parse(text).value(), 41234};
    for (const bool as_v6 : {false, true}) {
      sockaddr_storage storage;
      const auto size = before.to_sockaddr(storage, as_v6);
      const bool v4 = before.address.is_v4() && !as_v6;
      EXPECT_EQ(storage.ss_family, v4 ? AF_INET : AF_INET6);
      EXPECT_EQ(size, v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
      EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage)), before);
    }
  }
}

TEST(Endpoint, BracketsIPv6) {
  EXPECT_EQ((Endpoint{IpAddress::v4(0xc0000201), 862}.to_string()), "192.0.2.1:862");
  EXPECT_EQ((Endpoint{IpAddress::parse("2001:db8::1").value(), 862}.to_string()), "[2001:db8::1]:862");
}

TEST(HostPort, Accepts) {
  const std::vector<std::tuple<std::string, std::string, int>> rows = {
      {"vpn.example.net:862", "vpn.example.net", 862},
      {"localhost:1", "localhost", 1},
      {"a_b.example:65535", "a_b.example", 65535},
      {"3com.example:80", "3com.example", 80},
      {"xn--bcher-kva.example:80", "xn--bcher-kva.example", 80},
      {std::string(63, 'a') + ".b:9", std::string(63, 'a') + ".b", 9},
      {"192.0.2.1:862", "192.0.2.1", 862},
      {"[2001:db8::1]:862", "2001:db8::1", 862},
      {"[::]:862", "::", 862},
      {"[::ffff:192.0.2.1]:862", "::ffff:192.0.2.1", 862},
  };
  for (const auto& [text, host, port] : rows) {
    const auto parsed = HostPort::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->host, host);
    EXPECT_EQ(parsed->port, port);
    EXPECT_EQ(parsed->to_string(), text);
  }
}

TEST(HostPort, Refuses) {
  using namespace std::string_view_literals;
  const std::vector<std::string> rows = {"",
                                         ":",
                                         ":80",
                                         "host",
                                         "host:",
                                         "host:0",
                                         "host:65536",
                                         "host:-1",
                                         "host:+1",
                                         "host: 80",
                                         "host:80 ",
                                         "host:0x50",
                                         "ho st:80",
                                         "-host:80",
                                         "host-:80",
                                         "host-.net:80",
                                         "a..b:80",
                                         ".host:80",
                                         "host.:80",
                                         "host/:80",
                                         "host\n:80",
                                         "1.2.3:80",
                                         "1.2.3.256:80",
                                         "1234:80",
                                         "example.123:80",
                                         "2001:db8::1:862",
                                         "::1:862",
                                         "::ffff:192.0.2.1:862",
                                         "[192.0.2.1]:862",
                                         "[host]:80",
                                         "[]:80",
                                         "[::1]",
                                         "[::1]862",
                                         "[::1:862",
                                         "::1]:862",
                                         "[fe80::1%eth0]:862",
                                         "*:862",
                                         "http://host:80",
                                         std::string(64, 'a') + ":9",
                                         std::string("host\0x:80", 9),
                                         std::string("1.2.3.4\0:80", 11)};
  for (const auto& text : rows) EXPECT_FALSE(HostPort::parse(text)) << text;
  std::string longest;
  while (longest.size() < 252) longest += "abc.";
  EXPECT_TRUE(HostPort::parse(longest + "a:9"));
  EXPECT_FALSE(HostPort::parse(longest + "ab:9"));
}

}  // namespace
}  // namespace ue
