#include "web/listen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ue::web {
namespace {

using testing::HasSubstr;

TEST(Listen, TakesWhatAnOperatorWrites) {
  struct Case {
    const char* text;
    const char* endpoint;
  };
  for (const Case& c : {Case{"127.0.0.1:10177", "127.0.0.1:10177"}, Case{":10177", "0.0.0.0:10177"},
                        Case{"localhost:80", "127.0.0.1:80"}, Case{"0.0.0.0:65535", "0.0.0.0:65535"},
                        Case{"127.0.0.1:0", "127.0.0.1:0"}}) {
    const auto got = parse_listen_address(c.text, false);
    ASSERT_TRUE(got.ok()) << c.text;
    EXPECT_EQ(got->to_string(), c.endpoint);
  }
}

TEST(Listen, RefusesWhatIsNoAddress) {
  for (const char* bad : {"", "10177", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
                          "127.0.0.1:-1", "127.0.0.1: 80", "256.0.0.1:80", "example.org:80", "127.0.0.1:80s",
                          "127.0.0.1:80,81", "[::1:80", "::1:80", "[127.0.0.1]:80"}) {
    const auto got = parse_listen_address(bad, true);
    ASSERT_FALSE(got.ok()) << bad;
    EXPECT_EQ(got.error(),
              "--web.listen-address: \"" + std::string(bad) +
                  "\" is no address to listen on: write IPv4-ADDRESS:PORT like 127.0.0.1:10177, or :10177 "
                  "for all");
  }
}

TEST(Listen, Ipv6DependsOnTheLibrary) {
  const auto refused = parse_listen_address("[::1]:10177", false);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(
      refused.error(),
      "--web.listen-address: cannot listen on [::1]:10177: this system's civetweb library is built "
      "without IPv6; "
      "listen on 127.0.0.1:10177 or, for all IPv4 addresses, 0.0.0.0:10177, and let systemd-socket-proxyd "
      "or a reverse proxy listen on IPv6 in front of it (deploy/examples/ipv6)");
  const auto taken = parse_listen_address("[::1]:10177", true);
  ASSERT_TRUE(taken.ok());
  EXPECT_EQ(taken->to_string(), "[::1]:10177");
}

TEST(Listen, NeedsOneAndEachOnce) {
  EXPECT_THAT(parse_listen_addresses({}, false).error(), HasSubstr("give at least one"));
  EXPECT_THAT(parse_listen_addresses({"localhost:81", "127.0.0.1:81"}, false).error(),
              HasSubstr("given twice"));
  EXPECT_TRUE(parse_listen_addresses({"127.0.0.1:0", "127.0.0.1:0"}, false).ok());
}

TEST(Listen, AnAddressOfNobodyIsExplained) {
  EXPECT_EQ(why_not_bound({*IpAddress::parse("192.0.2.1"), 10177}),
            "--web.listen-address: cannot listen on 192.0.2.1:10177: Cannot assign requested address; no "
            "interface of "
            "this machine has the address: choose one that `ip address` shows");
  EXPECT_EQ(why_not_bound({IpAddress::v4(INADDR_LOOPBACK), 0}), "");
}

}  // namespace
}  // namespace ue::web
