#include "agent/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "../web/certificates.h"

namespace ue::agent {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using web::Certificate;

/// Answers one HTTPS request on a free port of 127.0.0.1, if it comes to one.
class SecureServer {
 public:
  explicit SecureServer(const Certificate& certificate) : context_(SSL_CTX_new(TLS_server_method())) {
    SSL_CTX_use_certificate(context_, certificate.x509());
    SSL_CTX_use_PrivateKey(context_, certificate.key());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener_, reinterpret_cast<const sockaddr*>(&address), size);
    listen(listener_, 1);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~SecureServer() {
    thread_.join();
    close(listener_);
    SSL_CTX_free(context_);
  }
  std::uint16_t port() const { return port_; }
  const std::string& request() const { return request_; }

 private:
  void serve() {
    const int fd = accept(listener_, nullptr, nullptr);
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
      char piece[4096];
      while (!request_.ends_with("[]")) {
        const int n = SSL_read(ssl, piece, sizeof piece);
        if (n <= 0) break;
        request_.append(piece, static_cast<std::size_t>(n));
      }
      const std::string_view answer = "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok";
      SSL_write(ssl, answer.data(), static_cast<int>(answer.size()));
      SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
  }

  SSL_CTX* context_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::string request_;  // to be read once the server is gone or has answered
  std::thread thread_;
};

/// What the system's authorities are is told by SSL_CERT_FILE, as to every OpenSSL program.
class HttpsTest : public testing::Test {
 protected:
  HttpsTest() {
    authority_.write(file_, file_ + ".key");
    setenv("SSL_CERT_FILE", file_.c_str(), 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
  }
  ~HttpsTest() override {
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    std::filesystem::remove(file_);
    std::filesystem::remove(file_ + ".key");
  }
  static HttpAnswer ask(const std::string& host, std::uint16_t port) {
    boost::asio::io_context loop;
    HttpPost what;
    what.server = {host, port};
    what.tls = true;
    what.path = "/api/v2/alerts";
    what.body = "[]";
    HttpAnswer got;
    int answers = 0;
    post(loop, what, [&](HttpAnswer answer) {
      got = std::move(answer);
      ++answers;
    });
    loop.run();
    EXPECT_EQ(answers, 1);
    return got;
  }
  const std::string file_ = testing::TempDir() + "https_authority." + std::to_string(getpid());
  const Certificate authority_{"authority"};
};

TEST_F(HttpsTest, ACertificateOfTheNameByAKnownAuthorityIsTalkedTo) {
  SecureServer server(Certificate("someone", &authority_, "DNS:localhost"));
  const auto answer = ask("localhost", server.port());
  EXPECT_EQ(answer.error, "");
  EXPECT_EQ(answer.status, 202u);
  EXPECT_EQ(answer.body, "ok");
  EXPECT_THAT(server.request(), StartsWith("POST /api/v2/alerts HTTP/1.1\r\n"));
}

TEST_F(HttpsTest, AnAddressIsANameToo) {
  SecureServer server(Certificate("someone", &authority_, "IP:127.0.0.1"));
  EXPECT_EQ(ask("127.0.0.1", server.port()).status, 202u);
}

TEST_F(HttpsTest, ACertificateOfAnotherNameIsToldNothing) {
  SecureServer server(Certificate("localhost", &authority_, "DNS:elsewhere.example"));
  const auto answer = ask("localhost", server.port());
  EXPECT_TRUE(answer.connected);
  EXPECT_EQ(answer.status, 0u);
  EXPECT_THAT(answer.error, HasSubstr("certificate verify failed"));
  EXPECT_EQ(server.request(), "");
}

TEST_F(HttpsTest, ACertificateByAnUnknownAuthorityIsToldNothing) {
  const Certificate stranger("stranger");
  SecureServer server(Certificate("localhost", &stranger, "DNS:localhost"));
  const auto answer = ask("localhost", server.port());
  EXPECT_EQ(answer.status, 0u);
  EXPECT_THAT(answer.error, HasSubstr("certificate verify failed"));
  EXPECT_EQ(server.request(), "");
}

}  // namespace
}  // namespace ue::agent
