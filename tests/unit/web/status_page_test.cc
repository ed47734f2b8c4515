#include "web/status_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../metrics/sample.h"
#include "web/html.h"
#include "web/layout.h"

namespace ue::web {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string cells(const std::string& forward, const std::string& back, const std::string& rtt) {
  return "<td data-of=\"Forward\">" + forward + "</td><td data-of=\"Return\">" + back +
         "</td><td data-of=\"Round trip\">" + rtt + "</td>";
}

std::string page_of(const metrics::Snapshot& s) { return status_page(s, "/metrics"); }

TEST(StatusPage, SaysTheVerdictWhyAndSinceWhen) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(page, HasSubstr("<h2>mansion</h2>\n<p class=\"verdict\"><b class=\"bad\">✖ one_way</b></p>\n"
                              "<p>replies to cloud die 4s after a flow begins</p>"));
  EXPECT_THAT(page, HasSubstr("Since 2025-10-09 08:55:10 UTC (1m30s ago)"));
  EXPECT_THAT(page, HasSubstr("eth2 via 203.0.113.1 · the fault lies at: carrier"));
  EXPECT_THAT(page, HasSubstr("NAT mapping: endpoint independent · filtering: address and port dependent · "
                              "carrier-grade NAT: yes"));
  EXPECT_THAT(page, HasSubstr("<h2>five_g</h2>\n<p class=\"verdict\"><b class=\"good\">✔ healthy</b></p>"));
  EXPECT_THAT(page, HasSubstr("<title>mansion one_way – uplink_exporter</title>"));
}

TEST(StatusPage, ShowsPathsByDirection) {
  const std::string page = page_of(*metrics::sample_snapshot());
  // 5 answered, 1 lost forward, 53 lost on return: 58 of 59 delivered, 5 of 58 answered.
  EXPECT_THAT(page,
              HasSubstr(cells("98.3 %", "8.6 %<br><span class=\"soft\">1 lost, direction unknown</span>",
                              "12.3 ms")));
  EXPECT_THAT(page, HasSubstr("seen as 198.51.100.7:41234"));
  EXPECT_THAT(page, HasSubstr("probes arrive, replies die 4s after a flow begins"));
  EXPECT_THAT(page, HasSubstr(cells("100 %", "100 %", "30.0 ms")));
}

TEST(StatusPage, NamesWhatFailsOnTheGatewayAndWhatIsOffWithItsRemedy) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(page, HasSubstr("<b class=\"bad\">rp_filter fails</b>"));
  EXPECT_THAT(page, HasSubstr("openvpn_management</b> connection refused: start OpenVPN with --management"));
  EXPECT_THAT(page, Not(HasSubstr("netlink</b>")));
  EXPECT_THAT(page, HasSubstr(" · default route no"));
}

TEST(StatusPage, ShowsTunnels) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(
      page,
      HasSubstr("<b class=\"warn\">reconnecting</b><br><span class=\"soft\">cannot read its management</span>"
                "</td><td data-of=\"Reconnects\">13</td><td data-of=\"Handshakes completed\">13 of 14</td>"
                "<td data-of=\"Last connected\">2025-10-09 08:55:50 UTC (50s ago)</td>"));
}

TEST(StatusPage, SaysWhenAConfigurationWasRefused) {
  auto s = metrics::sample_snapshot();
  EXPECT_THAT(page_of(*s), Not(HasSubstr("was refused")));
  s->config_reload_ok = false;
  EXPECT_THAT(page_of(*s), HasSubstr("was refused.</b> The one of 2025-10-09 08:53:21 UTC stays in force"));
}

TEST(StatusPage, WithoutUplinksOrFiguresItSaysSo) {
  EXPECT_THAT(page_of({}), HasSubstr("No uplink"));
  auto s = metrics::sample_snapshot();
  auto path = std::make_shared<metrics::Path>();
  path->reflector = "cloud";
  auto uplink = std::make_shared<metrics::Uplink>();
  uplink->name = "u";
  uplink->paths = {path};
  s->uplinks = {uplink};
  const std::string page = page_of(*s);
  EXPECT_THAT(page, HasSubstr(cells("–", "–", "–")));
  EXPECT_THAT(page, HasSubstr("<b class=\"dim\">… unknown</b>"));
  EXPECT_THAT(page, Not(HasSubstr("Since")));
}

TEST(StatusPage, LinksToTheMetricsWhereTheyAre) {
  EXPECT_THAT(status_page({}, "/probe/metrics"), HasSubstr("<a href=\"/probe/metrics\">Metrics</a>"));
}

TEST(StatusPage, NeedsNoScriptAndNothingFromElsewhere) {
  const std::string page = page_of(*metrics::sample_snapshot());
  for (const char* no : {"<script", "http://", "https://", "src=", "url(", "onload", "@import"}) {
    EXPECT_THAT(page, Not(HasSubstr(no)));
  }
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(page, HasSubstr("name=\"viewport\""));
  EXPECT_THAT(page, HasSubstr("http-equiv=\"refresh\" content=\"5\""));
}

/// Every field that is text carries an attack; none may survive, whatever the place it is shown in.
TEST(StatusPage, NoTextOfASnapshotBecomesMarkup) {
  const std::string evil = "</title><script>alert(1)</script>\"' onload=x <b>&amp;\xff";
  auto path = std::make_shared<metrics::Path>();
  path->uplink = path->reflector = path->mapped_endpoint = evil;
  path->conclusion = {verdict::Verdict::lossy, evil + "1"};
  auto uplink = std::make_shared<metrics::Uplink>();
  uplink->name = uplink->interface = uplink->gateway = uplink->scope = evil;
  uplink->labels = {{evil, evil}};
  uplink->preflight = {{evil, false}};
  uplink->conclusion = {verdict::Verdict::one_way, evil};
  uplink->paths = {path};
  auto tunnel = std::make_shared<metrics::Tunnel>();
  tunnel->name = tunnel->state = evil;
  tunnel->sources = {{evil, false}};
  metrics::Snapshot s;
  s.build = {evil, evil, evil};
  s.uplinks = {uplink};
  s.tunnels = {tunnel};
  s.collectors = {{evil, false, evil}};
  s.published = 1;
  metrics::ReflectorSnapshot r;
  r.build = s.build;
  r.packets = {{evil, 1}};
  r.queries = {{evil, 1}};
  for (const std::string& page : {status_page(s, evil), reflector_page(r, evil), starting_page(evil, evil)}) {
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, Not(HasSubstr("\"' onload")));
    EXPECT_THAT(page, Not(HasSubstr("\xff")));
    EXPECT_THAT(
        page,
        HasSubstr(
            "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; onload=x &lt;b&gt;&amp;amp;\xef\xbf\xbd"));
  }
}

TEST(ReflectorPage, SaysWhenItIsFull) {
  auto s = metrics::sample_reflector_snapshot();
  EXPECT_THAT(reflector_page(*s, "/metrics"),
              HasSubstr("<b>12</b></p>\n<p class=\"soft\">of at most 100000"));
  EXPECT_THAT(reflector_page(*s, "/metrics"), Not(HasSubstr("max_sessions")));
  s->sessions = s->sessions_limit;
  EXPECT_THAT(reflector_page(*s, "/metrics"), HasSubstr("max_sessions"));
}

TEST(Html, EscapesText) { EXPECT_EQ(Html().raw("<p>").text("<&>\"'").take(), "<p>&lt;&amp;&gt;&quot;&#39;"); }

TEST(Layout, RatiosNeverClaimAllOrNothingFalsely) {
  EXPECT_EQ(format_ratio(0, 0), "–");
  EXPECT_EQ(format_ratio(0, 10), "0 %");
  EXPECT_EQ(format_ratio(10, 10), "100 %");
  EXPECT_EQ(format_ratio(99999, 100000), "99.9 %");
  EXPECT_EQ(format_ratio(1, 100000), "0.1 %");
  EXPECT_EQ(format_ratio(1, 3), "33.3 %");
}

TEST(Layout, TimesAreUtcAndAgesNeverNegative) {
  EXPECT_EQ(format_time(1767323045.9), "2026-01-02 03:04:05 UTC");
  EXPECT_EQ(format_since(1767323045, 1767323045 + 190), "2026-01-02 03:04:05 UTC (3m10s ago)");
  EXPECT_EQ(format_since(1767323045, 1767323000), "2026-01-02 03:04:05 UTC (just now)");
}

}  // namespace
}  // namespace ue::web
