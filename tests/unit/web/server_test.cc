#include "web/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "../metrics/sample.h"
#include "http_client.h"
#include "web/pages.h"

namespace ue::web {
namespace {

using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = Server::start({"127.0.0.1:0"},
                                agent_site(box_, "/metrics", [this](Nanos) { return reload_result_; }));
    ASSERT_TRUE(server.ok()) << server.error();
    server_ = std::move(*server);
    ASSERT_EQ(server_->ports().size(), 1u);
    port_ = server_->ports()[0];
    ASSERT_GT(port_, 0);
  }

  metrics::SnapshotBox<metrics::Snapshot> box_;
  Result<std::monostate> reload_result_ = std::monostate{};
  std::unique_ptr<Server> server_;
  int port_ = 0;
};

TEST_F(ServerTest, BeforeTheFirstSnapshotItIsAliveAndNotReady) {
  EXPECT_EQ(request(port_, "GET", "/-/healthy").status, 200);
  EXPECT_EQ(request(port_, "GET", "/-/ready").status, 503);
  EXPECT_EQ(request(port_, "GET", "/metrics").status, 503);
  const auto page = request(port_, "GET", "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body, HasSubstr("starting"));
}

TEST_F(ServerTest, ServesTheNewestSnapshot) {
  box_.publish(metrics::sample_snapshot());
  EXPECT_EQ(request(port_, "GET", "/-/ready").status, 200);
  const auto scrape = request(port_, "GET", "/metrics");
  EXPECT_EQ(scrape.status, 200);
  EXPECT_EQ(scrape.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(scrape.body, HasSubstr("\nuplink_verdict{uplink=\"mansion\",verdict=\"one_way\"} 1\n"));
  EXPECT_EQ(scrape.headers.at("content-length"), std::to_string(scrape.body.size()));
  EXPECT_THAT(request(port_, "GET", "/").body, HasSubstr("one_way"));

  auto next = metrics::sample_snapshot();
  next->ready = false;
  box_.publish(next);
  EXPECT_EQ(request(port_, "GET", "/-/ready").status, 503);
}

TEST_F(ServerTest, HeadIsGetWithoutABody) {
  box_.publish(metrics::sample_snapshot());
  for (const char* path : {"/metrics", "/", "/-/healthy", "/-/ready", "/nothing", "/api/v1/status", "/config",
                           "/static/page.css"}) {
    const auto get = request(port_, "GET", path);
    const auto head = request(port_, "HEAD", path);
    EXPECT_EQ(head.status, get.status) << path;
    EXPECT_EQ(head.body, "") << path;
    EXPECT_EQ(head.headers.at("content-length"), std::to_string(get.body.size())) << path;
    EXPECT_EQ(head.headers.at("content-type"), get.headers.at("content-type")) << path;
  }
}

TEST_F(ServerTest, UnknownPathsAndMethods) {
  for (const char* path : {"/metrics/", "/metrics/x", "/favicon.ico", "/%2e%2e/etc/passwd",
                           "/../../etc/passwd", "//x", "/index.html", "/cgi-bin/x.cgi"}) {
    EXPECT_EQ(request(port_, "GET", path).status, 404) << path;
  }
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    const auto r = request(port_, method, "/metrics", "x");
    EXPECT_EQ(r.status, 405) << method;
    EXPECT_EQ(r.headers.at("allow"), "GET, HEAD");
  }
  EXPECT_EQ(request(port_, "GET", "/-/reload").headers.at("allow"), "POST, PUT");
  EXPECT_EQ(request(port_, "GET", "/-/healthy?query=1").status, 200);
}

TEST_F(ServerTest, EveryAnswerCarriesTheSecurityHeaders) {
  for (const char* path : {"/metrics", "/", "/-/healthy", "/nothing"}) {
    const auto r = request(port_, "GET", path);
    EXPECT_EQ(r.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(r.headers.at("x-frame-options"), "DENY");
    EXPECT_EQ(r.headers.at("referrer-policy"), "no-referrer");
    EXPECT_EQ(r.headers.at("cache-control"), "no-store");
    EXPECT_EQ(r.headers.at("connection"), "close");
    EXPECT_THAT(r.headers.at("content-security-policy"),
                HasSubstr("default-src 'none'; style-src 'self'; script-src 'self'"));
    EXPECT_THAT(r.headers.at("content-security-policy"), testing::Not(HasSubstr("unsafe")));
    EXPECT_EQ(r.headers.count("server"), 0u);
  }
}

TEST_F(ServerTest, ReloadsOnRequest) {
  EXPECT_EQ(request(port_, "POST", "/-/reload").status, 200);
  EXPECT_EQ(request(port_, "PUT", "/-/reload", "ignored").status, 200);
  reload_result_ = Error{"x.yml:1:1: bad"};
  const auto refused = request(port_, "POST", "/-/reload");
  EXPECT_EQ(refused.status, 500);
  EXPECT_THAT(refused.body, HasSubstr("x.yml:1:1: bad"));
}

TEST_F(ServerTest, NonsenseIsRefusedAndTheNextClientIsServed) {
  for (const std::string& nonsense : {std::string("\r\n\r\n"), std::string("GET\r\n\r\n"),
                                      std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11),
                                      "GET /metrics HTTP/1.1\r\nHost: x\r\nX: " +
                                          std::string(2 * Server::kMaxRequestBytes, 'a') + "\r\n\r\n"}) {
    const Client client(port_);
    client.send(nonsense);
    const auto reply = parse_reply(client.read_all());
    EXPECT_GE(reply.status, 400) << nonsense;
    EXPECT_EQ(reply.headers.at("x-content-type-options"), "nosniff") << nonsense;
    EXPECT_THAT(reply.body, HasSubstr(std::to_string(reply.status)));
  }
  EXPECT_EQ(request(port_, "GET", "/-/healthy").status, 200);
}

TEST_F(ServerTest, ABodyThatNeverComesIsNotWaitedFor) {
  const auto start = Clock::now();
  const Client client(port_);
  client.send("POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  EXPECT_EQ(parse_reply(client.read_all()).status, 200);
  EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(Server::kRequestTimeoutMs) / 2);
}

TEST_F(ServerTest, TenStalledClientsDoNotDelayAScrape) {
  box_.publish(metrics::sample_snapshot());
  std::vector<std::unique_ptr<Client>> stalled;
  for (int i = 0; i < 10; ++i) {
    stalled.push_back(std::make_unique<Client>(port_));
    ASSERT_TRUE(stalled.back()->connected());
    stalled.back()->send("GET /metrics HTTP/1.1\r\nHo");
  }
  const auto start = Clock::now();
  EXPECT_EQ(request(port_, "GET", "/metrics").status, 200);
  EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(Server::kRequestTimeoutMs) / 2);
}

/// As many as leave room for the test's own descriptors, and as Prometheus' scrape time-out has seconds.
constexpr rlim_t kDescriptors = 4096;
constexpr int kCrowd = 500;
constexpr int kScrapeTimeout = 10;
// Who began to ask is got over with in turns; how long that really takes depends on the machine.
static_assert((kCrowd + Server::kThreads - 1) / Server::kThreads * Server::kRequestTimeoutMs <
              kScrapeTimeout * 1000);

TEST_F(ServerTest, FiveHundredConnectionsThatSayNothingDoNotDelayAScrape) {
  const rlimit room{kDescriptors, kDescriptors};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &room), 0);
  box_.publish(metrics::sample_snapshot());
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < kCrowd; ++i) {
    idle.push_back(std::make_unique<Client>(port_));
    ASSERT_TRUE(idle.back()->connected()) << i;
  }
  const auto start = Clock::now();
  EXPECT_EQ(request(port_, "GET", "/metrics", "", kScrapeTimeout).status, 200);
  // Had each of them a thread, it would have been five times the time-out's turn.
  EXPECT_LT(Clock::now() - start, 2 * std::chrono::milliseconds(Server::kRequestTimeoutMs));
}

TEST_F(ServerTest, FiveHundredWhoBeganToAskAreGotOverWith) {
  const rlimit room{kDescriptors, kDescriptors};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &room), 0);
  box_.publish(metrics::sample_snapshot());
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < kCrowd; ++i) {
    slow.push_back(std::make_unique<Client>(port_));
    slow.back()->send("GET /metrics HTTP/1.1\r\nHo");
  }
  // Nine and a half seconds where nothing else keeps the machine busy.
  EXPECT_EQ(request(port_, "GET", "/metrics", "", 6 * kScrapeTimeout).status, 200);
}

TEST_F(ServerTest, SlowReadersOfALargeScrapeDelayNobody) {
  // More than the buffers of both ends take.
  Site site = agent_site(box_, "/metrics");
  site.metrics = [] { return Result<std::string>(std::string(32 << 20, '#')); };
  server_ = std::move(*Server::start({"127.0.0.1:0"}, std::move(site)));
  const int port = server_->ports()[0];
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 10; ++i) {
    slow.push_back(std::make_unique<Client>(port));
    slow.back()->send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_EQ(slow.back()->read(15), "HTTP/1.1 200 OK");  // it is being sent
  }
  const auto start = Clock::now();
  EXPECT_EQ(request(port, "GET", "/-/healthy").status, 200);
  EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(Server::kRequestTimeoutMs));
}

TEST_F(ServerTest, AScrapeSeesOneSnapshotWhileOthersArePublished) {
  const auto publish = [&](std::uint64_t n) {
    auto next = metrics::sample_snapshot();
    next->netlink_overruns = n;
    next->process.threads = n;  // two figures far apart on the page, equal in every snapshot
    box_.publish(std::move(next));
  };
  const auto figure = [](const std::string& page, const std::string& name) {
    const auto at = page.find("\n" + name + " ");
    return at == std::string::npos
               ? "absent"
               : page.substr(at + name.size() + 2, page.find('\n', at + 1) - at - name.size() - 2);
  };
  publish(1);
  std::atomic<bool> stop = false;
  std::thread publisher([&] {
    for (std::uint64_t n = 2; !stop; ++n) publish(n);
  });
  std::atomic<int> good = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      for (int n = 0; n < 25; ++n) {
        const auto r = request(port_, "GET", i == 0 ? "/" : "/metrics");
        const std::string overruns = figure(r.body, "uplink_netlink_overruns_total");
        const bool whole = i == 0 ? r.body.ends_with("</html>\n")
                                  : overruns != "absent" && overruns == figure(r.body, "process_threads");
        if (r.status == 200 && whole) ++good;
      }
    });
  }
  for (auto& c : clients) c.join();
  stop = true;
  publisher.join();
  EXPECT_EQ(good, 100);
}

TEST_F(ServerTest, APortInUseIsNamedWithTheRemedy) {
  const std::string address = "127.0.0.1:" + std::to_string(port_);
  const auto second = Server::start({"127.0.0.1:0", address}, agent_site(box_, "/metrics"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error(),
            "--web.listen-address: cannot listen on " + address +
                ": Address already in use; another program has the port: stop it, or choose another "
                "port");
  EXPECT_EQ(request(port_, "GET", "/-/healthy").status, 200);
}

TEST_F(ServerTest, SeveralAddressesAreServed) {
  auto server = Server::start({"127.0.0.1:0", "127.0.0.1:0"}, agent_site(box_, "/m"));
  ASSERT_TRUE(server.ok()) << server.error();
  const auto ports = (*server)->ports();
  ASSERT_EQ(ports.size(), 2u);
  EXPECT_NE(ports[0], ports[1]);
  for (const int port : ports) EXPECT_EQ(request(port, "GET", "/-/healthy").status, 200);
  EXPECT_EQ(request(ports[0], "GET", "/metrics").status, 404);
  EXPECT_EQ(request(ports[0], "GET", "/m").status, 503);
}

TEST_F(ServerTest, StopsAtOnce) {
  const auto start = Clock::now();
  server_.reset();
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(1));
  EXPECT_FALSE(Client(port_).connected());
}

TEST(ServerStart, RefusesBadAddressesAndPaths) {
  metrics::SnapshotBox<metrics::Snapshot> box;
  EXPECT_THAT(Server::start({}, agent_site(box, "/metrics")).error(), HasSubstr("give at least one"));
  EXPECT_THAT(Server::start({"nowhere"}, agent_site(box, "/metrics")).error(), HasSubstr("\"nowhere\""));
  EXPECT_THAT(Server::start({"192.0.2.1:0"}, agent_site(box, "/metrics")).error(),
              HasSubstr("Cannot assign requested address"));
  EXPECT_THAT(Server::start({"127.0.0.1:0"}, agent_site(box, "metrics")).error(),
              HasSubstr("--web.telemetry-path"));
}

TEST(ReflectorServer, ServesMetricsAndAPage) {
  metrics::SnapshotBox<metrics::ReflectorSnapshot> box;
  auto server = Server::start({"127.0.0.1:0"}, reflector_site(box, "/metrics"));
  ASSERT_TRUE(server.ok()) << server.error();
  const int port = (*server)->ports()[0];
  EXPECT_EQ(request(port, "GET", "/-/ready").status, 503);
  box.publish(metrics::sample_reflector_snapshot());
  EXPECT_EQ(request(port, "GET", "/-/ready").status, 200);
  EXPECT_THAT(request(port, "GET", "/metrics").body,
              HasSubstr("\nuplink_reflector_packets_total{outcome=\"reflected\"} 150\n"));
  EXPECT_THAT(request(port, "GET", "/").body, HasSubstr("bad_hmac"));
  EXPECT_EQ(request(port, "POST", "/-/reload").status, 404);
}

}  // namespace
}  // namespace ue::web
