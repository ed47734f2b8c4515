#include "web/status_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../metrics/sample.h"
#include "web/assets.h"
#include "web/html.h"
#include "web/layout.h"

namespace ue::web {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string page_of(const metrics::Snapshot& s) { return status_page(s, "/metrics"); }

/// How often `what` stands in `text`.
std::size_t count(const std::string& text, const std::string& what) {
  std::size_t n = 0;
  for (auto at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++n;
  return n;
}

constexpr const char* kSince =
    "<time datetime=\"2025-10-09T08:55:10Z\">2025-10-09 08:55:10 UTC</time> (1m30s ago)";

TEST(StatusPage, SaysTheVerdictWhyAndSinceWhen) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(page, HasSubstr("<section class=\"bad\" id=\"uplink-mansion\">"));
  EXPECT_THAT(page, HasSubstr("<p class=\"verdict\"><b class=\"bad\">✖ one_way</b></p>\n"
                              "<p class=\"why\">replies to cloud die 4s after a flow begins</p>"));
  EXPECT_THAT(
      page,
      HasSubstr("<p class=\"where\">The fault lies <b>at the carrier</b>. </p>\n<p class=\"soft\">Since " +
                std::string(kSince) + "</p>"));
  EXPECT_THAT(page, HasSubstr("eth2 via 203.0.113.1 · asn 64500 · carrier example-isp"));
  EXPECT_THAT(page, HasSubstr("<p class=\"verdict\"><b class=\"good\">✔ healthy</b></p>"));
  EXPECT_THAT(page, HasSubstr("<title>mansion one_way – uplink_exporter</title>"));
  EXPECT_THAT(page, HasSubstr("<body data-published=\"1760000200.000\">"));
}

TEST(StatusPage, SaysOnceWhereTheFaultLiesAndWhatTells) {
  auto s = metrics::sample_snapshot();
  const std::string hop = "Answers end behind hop 2 (100.64.0.1).";
  auto uplink = std::make_shared<metrics::Uplink>(*s->uplinks[0]);
  uplink->conclusion.why = "Replies die. " + hop + " The path to other is healthy.";
  uplink->conclusion.where = hop;
  s->uplinks[0] = uplink;
  const std::string page = page_of(*s);
  EXPECT_THAT(page, HasSubstr("<p class=\"why\">Replies die. The path to other is healthy.</p>\n"
                              "<p class=\"where\">The fault lies <b>at the carrier</b>. " +
                              hop + "</p>"));
  // Evidence that does not settle whose fault it is is shown, too; of a healthy uplink there is none.
  uplink->scope = "unknown";
  EXPECT_THAT(page_of(*s), HasSubstr("<p class=\"where\">" + hop + "</p>"));
  EXPECT_EQ(count(page, "class=\"where\""), 1u);
}

TEST(StatusPage, WhatHasHadNoReplyYetIsNeitherLostNorReturned) {
  auto s = metrics::sample_snapshot();
  auto uplink = std::make_shared<metrics::Uplink>(*s->uplinks[1]);
  auto path = std::make_shared<metrics::Path>(*uplink->paths[0]);
  path->steady.sent += 40;  // beside 60 that were answered lately
  uplink->paths[0] = path;
  s->uplinks[1] = uplink;
  const std::string page = page_of(*s);
  EXPECT_THAT(page, HasSubstr("Return <b class=\"bad\">60.0 % to 100 %</b>"));
  EXPECT_THAT(page, HasSubstr("Forward <b class=\"bad\">60.0 % to 100 %</b>"));
  EXPECT_THAT(page, HasSubstr("<b class=\"bad\">40 have had no reply yet</b>"));
  path->steady.sent -= 37;  // some are always under way
  EXPECT_THAT(page_of(*s), HasSubstr("Return <b>100 %</b>"));
  path->steady.sent += 37;
  path->recent->answered = 30;
  path->recent->return_lost = 30;
  EXPECT_THAT(page_of(*s), HasSubstr("Return <b class=\"bad\">30.0 % to 70.0 %</b>"));
  path->recent = metrics::Recent{};  // nothing has settled in two minutes: nothing is known
  EXPECT_THAT(page_of(*s), HasSubstr("Return <b>–</b>"));
  EXPECT_THAT(page_of(*s), HasSubstr("Forward <b>–</b>"));
}

TEST(StatusPage, ShowsPathsByDirection) {
  const std::string page = page_of(*metrics::sample_snapshot());
  // 5 answered, 1 lost forward, 53 lost on return: 58 of 59 delivered, 5 of 58 answered.
  EXPECT_THAT(page, HasSubstr("Forward <b>98.3 %</b>"));
  EXPECT_THAT(page, HasSubstr("Return <b class=\"bad\">8.6 %</b>"));
  EXPECT_THAT(page, HasSubstr(" 1 lost, direction unknown (amber)."));
  EXPECT_THAT(page, HasSubstr("Round trip <b>12.3 ms</b>"));
  EXPECT_THAT(page, HasSubstr("Forward <b>100 %</b>"));
  EXPECT_THAT(
      page,
      HasSubstr("<h3>Towards cloud</h3><p><b class=\"bad\">✖ one_way</b> probes arrive, replies die 4s"));
}

TEST(StatusPage, DrawsTheLastMinutes) {
  const std::string page = page_of(*metrics::sample_snapshot());
  // Three bins at the right edge. On return: 10; 5, 1 unsure and 3; 1, 4 open and 9.
  EXPECT_THAT(
      page,
      HasSubstr("<path class=\"fgood\" d=\"M117 0h1v40h-1zM118 17.78h1v22.22h-1zM119 37.14h1v2.857h-1z\"/>"
                "<path class=\"fdim\" d=\"M119 25.71h1v11.43h-1z\"/>"
                "<path class=\"fwarn\" d=\"M118 13.33h1v4.444h-1z\"/>"
                "<path class=\"fbad\" d=\"M118 0h1v13.33h-1zM119 0h1v25.71h-1z\"/>"));
  EXPECT_THAT(page, HasSubstr("<path class=\"line\" d=\"M117.5 8.6"));
}

TEST(StatusPage, DrawsTheLadderByItsNewestBatchWithTheHoldThatDecides) {
  const std::string page = page_of(*metrics::sample_snapshot());
  // The counters say 6/6 and 6/1; the newest batch 3/3 and none of 3. The tunnel pings after 10 s.
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">after a stream</th><td class=\"h4\">3/3</td>"
                              "<td class=\"h0 keep\">0/3</td><td>·</td><td class=\"note\">5 s to 10 s "));
  EXPECT_THAT(page, HasSubstr("<th scope=\"row\">after one packet</th><td>·</td><td>·</td>"
                              "<td class=\"h4\">2/2</td><td class=\"note\">over 2 min</td>"));
  EXPECT_THAT(page, HasSubstr("A tunnel pings after 10 s of silence: <b class=\"bad\">too late</b>"));
  // While replies stay away nothing is measured: what stands there is from before.
  EXPECT_THAT(page, HasSubstr("remembered a silent flow, before the fault</h3>"));
}

TEST(StatusPage, SaysWhereThisGatewayItselfForgets) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(page, HasSubstr("5 s to 10 s <span class=\"soft\">(this gateway itself forgets)</span></td>"));
  EXPECT_THAT(page, HasSubstr("too late</b>, this gateway's own connection tracker has forgotten"));
  auto s = metrics::sample_snapshot();
  auto uplink = std::make_shared<metrics::Uplink>(*s->uplinks[0]);
  auto path = std::make_shared<metrics::Path>(*uplink->paths[0]);
  path->lifetimes["stream"].is_own = false;
  uplink->paths[0] = path;
  s->uplinks[0] = uplink;
  EXPECT_THAT(page_of(*s), HasSubstr("<td class=\"note\">5 s to 10 s</td>"));
  EXPECT_THAT(page_of(*s), HasSubstr("too late</b>, the flow is forgotten by then."));
}

TEST(StatusPage, TellsOfRoutesIntoABlackHole) {
  EXPECT_THAT(
      page_of(*metrics::sample_snapshot()),
      HasSubstr(
          "<tr><td colspan=\"7\"><b class=\"bad\">✖ black hole</b> 3 routes lead into tun0.</td></tr>"));
  auto s = metrics::sample_snapshot();
  auto tunnel = std::make_shared<metrics::Tunnel>(*s->tunnels[0]);
  tunnel->routes_fault.clear();
  s->tunnels[0] = tunnel;
  EXPECT_THAT(page_of(*s), Not(HasSubstr("black hole")));
}

TEST(StatusPage, LeavesOutOfTheLadderWhatHasNotBeenTried) {
  metrics::Snapshot s;
  auto path = std::make_shared<metrics::Path>();
  path->lifetimes["stream"] = {{{"5", {0, 0}}, {"10", {2, 2}}}, {}, {}, {}};
  path->lifetimes["active"] = {{{"5", {0, 0}}}, {}, {}, {}};
  auto uplink = std::make_shared<metrics::Uplink>();
  uplink->paths = {path};
  s.uplinks = {uplink};
  const std::string page = page_of(s);
  EXPECT_THAT(page, HasSubstr("after a stream</th><td class=\"h4\">2/2</td><td class=\"note\">–</td>"));
  EXPECT_THAT(page, HasSubstr("remembers a silent flow</h3>"));
  EXPECT_THAT(page, Not(HasSubstr("while sending on")));
  EXPECT_THAT(page, Not(HasSubstr("0/0")));
}

TEST(StatusPage, ShowsTheVerdictsSinceStart) {
  const std::string page = page_of(*metrics::sample_snapshot());
  // Healthy for 110 s, one_way for 90.
  EXPECT_THAT(
      page,
      HasSubstr("<rect class=\"fgood\" x=\"0\" width=\"550\" height=\"1\"><title>healthy</title></rect>"
                "<rect class=\"fbad\" x=\"550\" width=\"450\" height=\"1\"><title>one_way</title></rect>"));
  EXPECT_THAT(page, HasSubstr("<summary>1 change</summary>"));
  EXPECT_EQ(count(page, "<details>"), 1u);  // five_g had none
  auto s = metrics::sample_snapshot();
  s->past = nullptr;
  EXPECT_THAT(page_of(*s), Not(HasSubstr("Since start")));
}

TEST(StatusPage, NamesTheNat) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(page, HasSubstr("<dt>Seen as</dt><dd>198.51.100.7:41234</dd>"));
  EXPECT_THAT(page, HasSubstr("<dt>Re-bound</dt><dd>port 7 times, address 1 times</dd>"));
  EXPECT_THAT(page, HasSubstr("<dt>NAT mapping</dt><dd>endpoint independent</dd>"));
  EXPECT_THAT(page, HasSubstr("<dt>Carrier-grade NAT</dt><dd>yes</dd>"));
}

TEST(StatusPage, NamesWhatFailsOnTheGatewayAndWhatIsOffWithItsRemedy) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(page, HasSubstr("<b class=\"bad\">rp_filter fails</b>"));
  EXPECT_THAT(page, HasSubstr("<h2>Off</h2>\n<p><b>▲ openvpn_management</b> connection refused: start "
                              "OpenVPN with --management"));
  EXPECT_THAT(page, HasSubstr("<h2>Could be on</h2>\n<p><b>conntrack</b> grant CAP_NET_ADMIN"));
  EXPECT_THAT(page, Not(HasSubstr("netlink</b>")));
  EXPECT_THAT(page, HasSubstr(" · default route no"));
}

TEST(StatusPage, ShowsTunnels) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(
      page,
      HasSubstr(
          "<b class=\"warn\">reconnecting</b><br><span class=\"soft\">cannot read its management</span>"));
  EXPECT_THAT(page, HasSubstr("<b class=\"bad\">one_way_loop</b></td><td data-of=\"Reconnects\">13<br>"
                              "<span class=\"soft\">12 × ping-restart</span>"));
  EXPECT_THAT(page,
              HasSubstr("13 of 14 completed</td><td data-of=\"Keepalive\">10 s, restart after 60 s</td>"));
  EXPECT_THAT(page, HasSubstr("2025-10-09 08:55:50 UTC</time> (50s ago)"));
}

TEST(StatusPage, ShowsRoutes) {
  const std::string page = page_of(*metrics::sample_snapshot());
  EXPECT_THAT(
      page,
      HasSubstr("<th scope=\"row\">111.222.33.44</th><td data-of=\"Leaves through\"><b class=\"bad\">✖</b> "
                "mansion via 123.45.0.1</td><td data-of=\"Should\">five_g</td>"));
  EXPECT_THAT(page, HasSubstr("no address yet"));
}

TEST(StatusPage, SaysWhenAConfigurationWasRefused) {
  auto s = metrics::sample_snapshot();
  EXPECT_THAT(page_of(*s), Not(HasSubstr("was refused")));
  s->config_reload_ok = false;
  EXPECT_THAT(
      page_of(*s),
      HasSubstr("was refused.</b> The one of <time datetime=\"2025-10-09T08:53:21Z\">2025-10-09 08:53:21 "
                "UTC</time> stays in force"));
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
  EXPECT_THAT(page, HasSubstr("Return <b>–</b>"));
  EXPECT_THAT(page, HasSubstr("Round trip <b>–</b>"));
  EXPECT_THAT(page, HasSubstr("<b class=\"dim\">… unknown</b>"));
  EXPECT_THAT(page, Not(HasSubstr("Since ")));
}

TEST(StatusPage, LinksToTheMetricsWhereTheyAre) {
  EXPECT_THAT(status_page({}, "/probe/metrics"), HasSubstr("<a href=\"/probe/metrics\">Metrics</a>"));
}

TEST(StatusPage, NeedsNothingFromElsewhereAndIsReadWithoutAScript) {
  std::string page = page_of(*metrics::sample_snapshot());
  for (const char* path : {"/static/page.css", "/static/page.js", "/static/icon.svg"}) {
    const Asset* asset = find_asset(path);
    ASSERT_NE(asset, nullptr) << path;
    EXPECT_EQ(count(page, "\"" + std::string(path) + "\""), 1u);
    page += asset->text;
  }
  for (const char* no : {"https://", "url(", "onload", "@import", "style=", "innerHTML", "eval("}) {
    EXPECT_THAT(page, Not(HasSubstr(no)));
  }
  EXPECT_EQ(count(page, "http://"), count(page, "http://www.w3.org/2000/svg"));
  EXPECT_EQ(count(page, "<script"), 1u);
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(page, HasSubstr("name=\"viewport\""));
  EXPECT_THAT(page, HasSubstr("<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"));
  EXPECT_LT(page.size(), 32u << 10);  // all that a browser loads
  std::cout << "the page and all that it loads: " << page.size() << " octets\n";
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
  tunnel->name = tunnel->state = tunnel->diagnosis = evil;
  tunnel->reconnects = {{{evil, evil}, 1}};
  uplink->nat = {evil, evil, evil};
  path->lifetimes[evil] = {{{evil, {1, 1}}}, 1, 2, {}};
  tunnel->sources = {{evil, false}};
  metrics::Snapshot s;
  s.build = {evil, evil, evil};
  s.uplinks = {uplink};
  s.tunnels = {tunnel};
  s.collectors = {{evil, false, evil}};
  s.published = 1;
  s.routes = {{evil, evil, false, evil, evil, evil, evil, evil, 1}};
  auto past = std::make_shared<metrics::Past>();
  past->changes[evil] = {{0, {verdict::Verdict::healthy, evil}}, {0.5, {verdict::Verdict::one_way, evil}}};
  s.past = past;
  metrics::ReflectorSnapshot r;
  r.build = s.build;
  r.packets = {{evil, 1}};
  r.queries = {{evil, 1}};
  for (const std::string& page : {status_page(s, evil), reflector_page(r, evil), starting_page(evil, evil)}) {
    EXPECT_LE(count(page, "<script"), 1u);  // our own
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
  EXPECT_EQ(format_ago(1767323045, 1767323045 + 190), "3m10s ago");
  EXPECT_EQ(format_ago(1767323045, 1767323000), "just now");
  EXPECT_EQ(format_seconds(2.5), "2.5 s");
  EXPECT_EQ(format_seconds(90), "90 s");
  EXPECT_EQ(format_seconds(600), "10 min");
}

}  // namespace
}  // namespace ue::web
