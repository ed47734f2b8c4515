#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <fstream>

#include "../metrics/sample.h"
#include "certificates.h"
#include "http_client.h"
#include "web/pages.h"
#include "web/server.h"

namespace ue::web {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

struct HttpsReply {
  Reply reply;       ///< status 0: there was none
  std::string peer;  ///< common name of the server's certificate
  std::string version;
};

/// One request over TLS, with a certificate of the client's own where there is one.
HttpsReply ask(int port, const std::string& target, const Certificate* own = nullptr, int max_version = 0,
               const std::string& method = "GET") {
  HttpsReply out;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  SSL_CTX_set_max_proto_version(context.get(), max_version);
  if (own != nullptr) {
    SSL_CTX_use_certificate(context.get(), own->x509());
    SSL_CTX_use_PrivateKey(context.get(), own->key());
  }
  const Client client(port);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_fd(ssl.get(), client.fd());
  if (SSL_connect(ssl.get()) != 1) return out;
  out.version = SSL_get_version(ssl.get());
  const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl.get()), X509_free);
  char name[64] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(peer.get()), NID_commonName, name, sizeof name);
  out.peer = name;
  const std::string text =
      method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
  SSL_write(ssl.get(), text.data(), static_cast<int>(text.size()));
  std::string all;
  char buffer[16384];
  for (int n = 0; (n = SSL_read(ssl.get(), buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  out.reply = parse_reply(all);
  return out;
}

class HttpsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "https_test.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    Certificate("first").write(path("c.pem"), path("k.pem"));
    box_.publish(metrics::sample_snapshot());
  }
  void TearDown() override {
    server_.reset();
    fs::remove_all(directory_);
  }

  std::string path(const std::string& name) const { return directory_ / name; }
  /// Written beside and moved, as tools that renew certificates do: no two versions look alike.
  void configure(const std::string& more, const std::string& rest = "") {
    std::ofstream(path("new")) << "tls_server_config: {cert_file: c.pem, key_file: k.pem" << more << "}\n"
                               << rest;
    fs::rename(path("new"), path("web.yml"));
  }
  std::string start() {
    auto server = Server::start(
        {"127.0.0.1:0"},
        agent_site(box_, "/metrics", [](Nanos) { return Result<std::monostate>(std::monostate{}); }),
        path("web.yml"));
    if (!server) return server.error();
    server_ = std::move(*server);
    port_ = server_->ports()[0];
    return "";
  }

  fs::path directory_;
  metrics::SnapshotBox<metrics::Snapshot> box_;
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

TEST_F(HttpsTest, AnswersRequestAfterRequest) {
  configure("");
  ASSERT_EQ(start(), "");
  for (int i = 0; i < 5; ++i) {
    const auto r = ask(port_, "/metrics");
    EXPECT_EQ(r.reply.status, 200);
    EXPECT_EQ(r.version, "TLSv1.3");
    EXPECT_EQ(r.peer, "first");
    EXPECT_EQ(r.reply.headers.at("content-length"), std::to_string(r.reply.body.size()));
  }
  EXPECT_EQ(ask(port_, "/metrics", nullptr, TLS1_2_VERSION).version, "TLSv1.2");
  EXPECT_EQ(ask(port_, "/metrics", nullptr, 0, "HEAD").reply.body, "");
}

TEST_F(HttpsTest, WhoSpeaksPlainHttpIsSentAwayAndTheNextIsServed) {
  configure("");
  ASSERT_EQ(start(), "");
  EXPECT_EQ(request(port_, "GET", "/metrics").status, 0);
  EXPECT_EQ(ask(port_, "/metrics").reply.status, 200);
}

TEST_F(HttpsTest, ARenewedCertificateIsShownAtTheNextHandshake) {
  configure("");
  ASSERT_EQ(start(), "");
  EXPECT_EQ(ask(port_, "/").peer, "first");
  Certificate("second").write(path("c.new"), path("k.new"));
  fs::rename(path("k.new"), path("k.pem"));
  // Between the two moves the key is not that of the certificate: the old pair stays.
  EXPECT_EQ(ask(port_, "/").peer, "first");
  const auto refused = ask(port_, "/-/reload", nullptr, 0, "POST");
  EXPECT_EQ(refused.reply.status, 500);
  EXPECT_THAT(refused.reply.body, HasSubstr("k.pem: key values mismatch"));
  fs::rename(path("c.new"), path("c.pem"));
  EXPECT_EQ(ask(port_, "/").peer, "second");
  EXPECT_EQ(ask(port_, "/-/reload", nullptr, 0, "POST").reply.status, 200);
}

TEST_F(HttpsTest, ClientsAreLetInByTheirCertificate) {
  const Certificate authority("authority");
  const Certificate stranger("stranger");
  authority.write(path("ca.pem"), path("ca.key"));
  const Certificate good("prometheus", &authority, "DNS:prometheus.example.net");
  const Certificate other("other", &authority, "DNS:other.example.net,IP:192.0.2.7");
  configure(", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem");
  ASSERT_EQ(start(), "");
  for (const int version : {0, TLS1_2_VERSION}) {
    EXPECT_EQ(ask(port_, "/metrics", &good, version).reply.status, 200);
    EXPECT_EQ(ask(port_, "/metrics", nullptr, version).reply.status, 0);
    EXPECT_EQ(ask(port_, "/metrics", &stranger, version).reply.status, 0);
  }
  configure(
      ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: "
      "[prometheus.example.net]");
  EXPECT_EQ(ask(port_, "/metrics", &good).reply.status, 200);
  EXPECT_EQ(ask(port_, "/metrics", &other).reply.status, 0);
  configure(
      ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: ca.pem, client_allowed_sans: "
      "[192.0.2.7]");
  EXPECT_EQ(ask(port_, "/metrics", &good).reply.status, 0);
  EXPECT_EQ(ask(port_, "/metrics", &other).reply.status, 200);
  configure(", client_auth_type: RequireAnyClientCert");
  EXPECT_EQ(ask(port_, "/metrics", &stranger).reply.status, 200);
  EXPECT_EQ(ask(port_, "/metrics").reply.status, 0);
  configure(", client_auth_type: VerifyClientCertIfGiven, client_ca_file: ca.pem");
  EXPECT_EQ(ask(port_, "/metrics").reply.status, 200);
  EXPECT_EQ(ask(port_, "/metrics", &stranger).reply.status, 0);
  configure("");
  EXPECT_EQ(ask(port_, "/metrics", &stranger).reply.status, 200);
}

TEST_F(HttpsTest, VersionsAndCipherSuitesAreThoseConfigured) {
  configure(", min_version: TLS13");
  ASSERT_EQ(start(), "");
  EXPECT_EQ(ask(port_, "/metrics").version, "TLSv1.3");
  EXPECT_EQ(ask(port_, "/metrics", nullptr, TLS1_2_VERSION).version, "");
  configure(
      ", max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256], curve_preferences: "
      "[CurveP384]");
  EXPECT_EQ(ask(port_, "/metrics").version, "TLSv1.2");
  // The certificate's key is no RSA key.
  configure(", max_version: TLS12, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]");
  EXPECT_EQ(ask(port_, "/metrics").version, "");
}

TEST_F(HttpsTest, ConfiguredHeadersAndTheRateLimitAreInForceAtOnce) {
  configure("", "http_server_config: {headers: {Strict-Transport-Security: max-age=600}}\n");
  ASSERT_EQ(start(), "");
  EXPECT_EQ(ask(port_, "/").reply.headers.at("strict-transport-security"), "max-age=600");
  configure("", "rate_limit: {interval: 1h, burst: 2}\n");
  for (const int status : {200, 200, 429, 429}) EXPECT_EQ(ask(port_, "/-/healthy").reply.status, status);
  configure("", "rate_limit: nonsense\n");
  EXPECT_EQ(ask(port_, "/-/healthy").reply.status, 429);
  configure("");
  EXPECT_EQ(ask(port_, "/-/healthy").reply.status, 200);
}

TEST_F(HttpsTest, WhatCannotBeServedIsRefusedAtTheStart) {
  EXPECT_THAT(start(), HasSubstr("web.yml: No such file or directory"));
  configure(", min_version: TLS9");
  EXPECT_THAT(start(), HasSubstr("web.yml:1:69: tls_server_config.min_version: expected TLS10"));
  Certificate("another").write(path("x.pem"), path("k.pem"));
  configure("");
  EXPECT_THAT(start(), HasSubstr("k.pem: key values mismatch"));
  fs::remove(path("k.pem"));
  EXPECT_THAT(start(), HasSubstr("tls_server_config.key_file: " + path("k.pem") + ": "));
  Certificate("again").write(path("c.pem"), path("k.pem"));
  configure(", cipher_suites: [TLS_ROT13]");
  EXPECT_THAT(start(), HasSubstr("OpenSSL knows no TLS_ROT13"));
}

}  // namespace
}  // namespace ue::web
