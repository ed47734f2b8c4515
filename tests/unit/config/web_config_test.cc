#include "config/web_config.h"

#include <gtest/gtest.h>

#include "cases.h"

namespace ue::config {
namespace {

using namespace std::chrono_literals;

constexpr const char* kHash = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG";

TEST(WebConfig, AnEmptyFileDemandsNothing) {
  const auto c = parse_web_config("", "w.yaml");
  ASSERT_TRUE(c.ok()) << c.error();
  EXPECT_EQ(*c, WebConfig{});
}

TEST(WebConfig, ReadsEveryKeyOfTheToolkit) {
  const auto c = parse_web_config(std::string(R"(
tls_server_config:
  cert_file: c.pem
  key_file: k.pem
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example.net, 192.0.2.1]
  min_version: TLS13
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]
  prefer_server_cipher_suites: false
  curve_preferences: [X25519, CurveP256]
http_server_config:
  http2: true
  headers:
    Strict-Transport-Security: max-age=600
    X-Frame-Options: ""
rate_limit: {interval: 250ms, burst: 20}
basic_auth_users:
  ops: )") + kHash + "\n",
                                  "w.yaml");
  ASSERT_TRUE(c.ok()) << c.error();
  ASSERT_TRUE(c->tls);
  const WebTls tls{"c.pem",
                   "k.pem",
                   ClientAuth::require_and_verify,
                   "ca.pem",
                   {"prometheus.example.net", "192.0.2.1"},
                   0x0304,
                   0x0304,
                   {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
                   false,
                   {"X25519", "P-256"}};
  EXPECT_EQ(*c->tls, tls);
  EXPECT_EQ(c->headers, (std::map<std::string, std::string>{{"Strict-Transport-Security", "max-age=600"},
                                                            {"X-Frame-Options", ""}}));
  EXPECT_EQ(c->users, (std::map<std::string, std::string>{{"ops", kHash}}));
  EXPECT_EQ(c->rate_interval, 250ms);
  EXPECT_EQ(c->rate_burst, 20u);
}

TEST(WebConfig, EveryBadFileGetsItsOneMessage) {
  const auto cases = read_cases("bad_web.txt");
  ASSERT_GE(cases.size(), 22u);
  for (const auto& c : cases) {
    const auto result = parse_web_config(c.text, "w.yaml");
    if (result.ok()) {
      ADD_FAILURE() << c.title << ": this was accepted\n" << c.text;
    } else {
      EXPECT_EQ(result.error(), c.message) << c.title;
    }
  }
}

}  // namespace
}  // namespace ue::config
