#include "web/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace ue::web {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Fixture : testing::Test {
  bool ready = false;
  Result<std::monostate> reload_result = std::monostate{};
  Nanos deadline{};

  Site site() {
    return {.program = "prog",
            .telemetry_path = "/metrics",
            .metrics = [] { return Result<std::string>(std::string("up 1\n")); },
            .index = [] { return std::string("<p>page"); },
            .status = [] { return Result<std::string>(std::string("{}")); },
            .config = [] { return Result<std::string>(std::string("uplinks: []")); },
            .ready = [this] { return ready; },
            .reload =
                [this](Nanos d) {
                  deadline = d;
                  return reload_result;
                }};
  }
};
using RouterTest = Fixture;

TEST_F(RouterTest, ServesItsPages) {
  const Router router(site());
  for (const char* method : {"GET", "HEAD"}) {
    EXPECT_EQ(router.respond(method, "/metrics").body, "up 1\n");
    EXPECT_EQ(router.respond(method, "/metrics").content_type, "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(router.respond(method, "/").body, "<p>page");
    EXPECT_EQ(router.respond(method, "/").content_type, "text/html; charset=utf-8");
    EXPECT_EQ(router.respond(method, "/-/healthy").body, "prog is healthy\n");
    EXPECT_EQ(router.respond(method, "/api/v1/status").body, "{}");
    EXPECT_EQ(router.respond(method, "/api/v1/status").content_type, "application/json");
    EXPECT_EQ(router.respond(method, "/config").body, "uplinks: []");
    EXPECT_EQ(router.respond(method, "/static/page.css").content_type, "text/css; charset=utf-8");
    EXPECT_EQ(router.respond(method, "/static/page.js").content_type, "text/javascript; charset=utf-8");
  }
}

TEST_F(RouterTest, IsHealthyBeforeItIsReady) {
  const Router router(site());
  EXPECT_EQ(router.respond("GET", "/-/healthy").status, 200);
  EXPECT_EQ(router.respond("GET", "/-/ready").status, 503);
  ready = true;
  EXPECT_EQ(router.respond("GET", "/-/ready").status, 200);
}

TEST_F(RouterTest, PathsAreWholeNotPrefixes) {
  const Router router(site());
  for (const char* path : {"", "/metrics/", "/metrics/x", "/metricsx", "/static/", "/static/x", "/config/",
                           "/api/v1/statusx", "/-/", "/-/readyx", "/etc/passwd", "*", "/METRICS"}) {
    EXPECT_EQ(router.respond("GET", path).status, 404) << path;
  }
}

TEST_F(RouterTest, AForeignPathIsNotEchoed) {
  EXPECT_THAT(Router(site()).respond("GET", "/<script>").body, Not(HasSubstr("script")));
}

TEST_F(RouterTest, OtherMethodsAreToldWhatIsAllowed) {
  const Router router(site());
  for (const char* path : {"/metrics", "/", "/-/healthy", "/-/ready"}) {
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"}) {
      const auto r = router.respond(method, path);
      EXPECT_EQ(r.status, 405) << method << path;
      EXPECT_EQ(r.headers.at("Allow"), "GET, HEAD");
    }
  }
  for (const char* method : {"GET", "HEAD", "DELETE"}) {
    EXPECT_EQ(router.respond(method, "/-/reload").status, 405);
    EXPECT_EQ(router.respond(method, "/-/reload").headers.at("Allow"), "POST, PUT");
  }
}

TEST_F(RouterTest, ReloadsWithADeadlineAndSaysWhyNot) {
  const Router router(site());
  for (const char* method : {"POST", "PUT"}) EXPECT_EQ(router.respond(method, "/-/reload").status, 200);
  EXPECT_EQ(deadline, Router::kReloadDeadline);
  reload_result = Error{"a.yml:3:5: uplinks: expected a list"};
  const auto refused = router.respond("POST", "/-/reload");
  EXPECT_EQ(refused.status, 500);
  EXPECT_EQ(refused.body, "the running configuration stays in force: a.yml:3:5: uplinks: expected a list\n");
}

TEST_F(RouterTest, OneReloadAtATime) {
  const Router* self = nullptr;
  Response inner;
  Site s = site();
  s.reload = [&](Nanos) {
    std::thread([&] { inner = self->respond("POST", "/-/reload"); }).join();
    return Result<std::monostate>(std::monostate{});
  };
  const Router router(s);
  self = &router;
  EXPECT_EQ(router.respond("POST", "/-/reload").status, 200);
  EXPECT_EQ(inner.status, 503);
}

TEST_F(RouterTest, WithoutReloadThereIsNoSuchPath) {
  Site s = site();
  s.reload = nullptr;
  EXPECT_EQ(Router(s).respond("POST", "/-/reload").status, 404);
}

TEST_F(RouterTest, MetricsThatAreNotThereYetAreNoEmptyScrape) {
  Site s = site();
  s.metrics = [] { return Result<std::string>(Error{"starting"}); };
  const auto r = Router(s).respond("GET", "/metrics");
  EXPECT_EQ(r.status, 503);
  EXPECT_EQ(r.body, "starting\n");
}

TEST_F(RouterTest, ACallbackThatThrowsIsAnErrorWithoutItsText) {
  Site s = site();
  s.index = []() -> std::string { throw std::runtime_error("inner detail"); };
  const auto r = Router(s).respond("GET", "/");
  EXPECT_EQ(r.status, 500);
  EXPECT_THAT(r.body, Not(HasSubstr("inner detail")));
}

TEST_F(RouterTest, TelemetryAtTheRootReplacesThePage) {
  Site s = site();
  s.telemetry_path = "/";
  ASSERT_TRUE(Router::check(s).ok());
  EXPECT_EQ(Router(s).respond("GET", "/").body, "up 1\n");
}

TEST_F(RouterTest, TelemetryPathsThatCouldNotBeAskedForAreRefused) {
  Site s = site();
  for (const char* good : {"/metrics", "/", "/a/b-c_d.e~f"}) {
    s.telemetry_path = good;
    EXPECT_TRUE(Router::check(s).ok()) << good;
  }
  for (const char* bad :
       {"", "metrics", "/a b", "/a?b", "/a#b", "/a%20", "/-/reload", "/-/x", "/static/page.css", "/config",
        "/api/v1/status", "/a//b", "/a/", "/../a", "/a/./b", "/\"", "/\xc3\xa4"}) {
    s.telemetry_path = bad;
    ASSERT_FALSE(Router::check(s).ok()) << bad;
    EXPECT_THAT(Router::check(s).error(),
                HasSubstr("--web.telemetry-path: \"" + std::string(bad) + "\" cannot be"));
  }
}

TEST(Response, IsWrittenAsHttp) {
  const std::string http =
      to_http({.status = 405, .body = "no\n", .headers = {{"Allow", "GET, HEAD"}}}, {}, true, 1767323045);
  EXPECT_TRUE(http.starts_with("HTTP/1.1 405 Method Not Allowed\r\nDate: Fri, 02 Jan 2026 03:04:05 GMT\r\n"))
      << http;
  EXPECT_THAT(http, HasSubstr("\r\nContent-Length: 3\r\n"));
  EXPECT_THAT(http, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_TRUE(http.ends_with("\r\n\r\nno\n"));
}

TEST(Response, ConfiguredHeadersTakeThePlaceOfOursOrLeaveThemOut) {
  const std::string http =
      to_http({.body = "x"}, {{"X-Frame-Options", "SAMEORIGIN"}, {"Content-Security-Policy", ""}}, true, 0);
  EXPECT_THAT(http, HasSubstr("\r\nX-Frame-Options: SAMEORIGIN\r\n"));
  EXPECT_THAT(http, Not(HasSubstr("DENY")));
  EXPECT_THAT(http, Not(HasSubstr("Content-Security-Policy")));
  EXPECT_THAT(http, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
}

TEST(Response, OfHeadHasTheLengthWithoutTheBody) {
  const std::string http = to_http({.body = "hello"}, {}, false, 0);
  EXPECT_THAT(http, HasSubstr("\r\nContent-Length: 5\r\n"));
  EXPECT_TRUE(http.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace ue::web
