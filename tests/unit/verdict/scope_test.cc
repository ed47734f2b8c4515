#include "verdict/scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "verdict/evidence.h"
#include "verdict/judge.h"
#include "verdict/table.h"

namespace ue::verdict {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// "-" for a silent hop.
Hops route(const std::vector<const char*>& routers, std::optional<unsigned> length = std::nullopt) {
  Hops hops;
  for (const auto* r : routers) hops.routers.push_back(IpAddress::parse(r));
  hops.length = length;
  return hops;
}

const std::vector<const char*> kSeries{"192.168.1.1", "100.64.0.1", "192.0.2.254"};

/// A home router, a carrier's NAT and one more router before the far end, all seen while it worked.
Trail series(const std::vector<const char*>& now) {
  Trail t;
  t.own = IpAddress::parse("192.168.1.2");
  t.usual = route(kSeries, 4);
  if (!now.empty()) t.now = route(now);
  return t;
}

struct ScopeCase {
  const char* what;
  Verdict verdict;
  Trail trail;
  Scope scope;
  const char* evidence;
};

Trail refused_reply(std::uint8_t ttl, Trail t) {
  t.reply_refused = {*IpAddress::parse("198.51.100.1"), "port-unreachable", ttl};
  return t;
}

Trail forgets(unsigned hop) {
  auto t = series({});
  t.forgetful = hop;
  t.forgets_within = 8s;
  return t;
}

Trail elsewhere(Trail t) {
  t.answered_elsewhere = true;
  return t;
}

TEST(Scope, TheNewestTraceSaysWhereAFlowIsLost) {
  auto refused = series({"192.168.1.1", "100.64.0.1", "-"});
  refused.probe_refused = {*IpAddress::parse("100.64.0.1"), "admin-prohibited", 0};
  const ScopeCase cases[] = {
      {"stateless at home", Verdict::one_way, series({"192.168.1.1", "-", "-"}), Scope::home,
       "The flow is lost at hop 1 (192.168.1.1), the home router: it answers a trace, hop 2 (100.64.0.1) "
       "used "
       "to and does not."},
      {"stateless at the carrier", Verdict::one_way, series({"192.168.1.1", "100.64.0.1", "-"}),
       Scope::carrier, "The flow is lost at hop 2 (100.64.0.1), the carrier's: "},
      {"while it is not yet clear why", Verdict::return_lost, series({"192.168.1.1", "100.64.0.1", "-"}),
       Scope::carrier, "hop 2"},
      {"nothing answers any more", Verdict::down, series({"-", "-", "-"}), Scope::home,
       "hop 1 (192.168.1.1), the home router no longer answers"},
      {"an outage behind the carrier's NAT", Verdict::down, series({"192.168.1.1", "100.64.0.1", "-"}),
       Scope::carrier, "Packets are lost behind hop 2 (100.64.0.1), the carrier's"},
      {"only the far end is silent", Verdict::down, series(kSeries), Scope::beyond,
       "Every hop up to hop 3 (192.0.2.254), beyond the carrier still answers"},
      {"a filter, far end seen alive", Verdict::one_way, elsewhere(series(kSeries)), Scope::carrier,
       "filtered on the way back"},
      {"a filter, or the far end", Verdict::one_way, series(kSeries), Scope::unknown, "or never sent"},
      {"who refuses says so", Verdict::udp_blocked, refused, Scope::carrier,
       "Packets are refused at hop 2 (100.64.0.1), the carrier's, with ICMP admin-prohibited."},
      {"replies refused by the home router", Verdict::one_way, refused_reply(62, series(kSeries)),
       Scope::home, "Replies are refused at hop 1 (192.168.1.1), the home router"},
      {"the same sender, one hop nearer", Verdict::short_mapping, refused_reply(63, series({})),
       Scope::carrier, "Replies are refused at hop 2 (100.64.0.1), the carrier's"},
      {"refused by this machine, which closed the port", Verdict::short_mapping,
       refused_reply(61, series({})), Scope::unknown, ""},
      {"the carrier forgets", Verdict::short_mapping, forgets(2), Scope::carrier,
       "The mapping is lost at hop 2 (100.64.0.1), the carrier's: packets that end there keep it alive for "
       "8s"},
      {"the home router forgets", Verdict::short_mapping, forgets(1), Scope::home, "hop 1 (192.168.1.1)"},
      {"large packets end at the carrier", Verdict::mtu_blackhole, series({"192.168.1.1", "100.64.0.1", "-"}),
       Scope::carrier,
       "Large packets are lost behind hop 2 (100.64.0.1), the carrier's: hop 3 (192.0.2.254) answers small "
       "packets and no large ones."},
      {"at home", Verdict::mtu_blackhole, series({"-", "-", "-"}), Scope::home,
       "lost on the way to hop 1 (192.168.1.1)"},
      {"or on the way back", Verdict::mtu_blackhole, series(kSeries), Scope::unknown,
       "Large packets still reach hop 3 (192.0.2.254): they are lost behind it, or on the way back."},
      {"no trace of large ones", Verdict::mtu_blackhole, series({}), Scope::unknown, ""},
      {"no trace", Verdict::one_way, series({}), Scope::unknown, ""},
      {"of no place", Verdict::lossy, series({"192.168.1.1", "-", "-"}), Scope::unknown, ""},
      {"nothing is wrong", Verdict::healthy, series({"192.168.1.1", "-", "-"}), Scope::unknown, ""},
      {"the gateway itself", Verdict::local_fault, series({}), Scope::gateway, ""},
      {"the reflector itself", Verdict::reflector_down, series({}), Scope::beyond, ""},
  };
  for (const auto& c : cases) {
    const auto location = locate(c.verdict, c.trail);
    EXPECT_EQ(location.scope, c.scope) << c.what << ": " << location.evidence;
    EXPECT_THAT(location.evidence, HasSubstr(c.evidence)) << c.what;
    EXPECT_EQ(location.evidence.empty(), *c.evidence == 0) << c.what << ": " << location.evidence;
  }
}

TEST(Scope, AHopThatNeverAnsweredLeavesThePlaceOpen) {
  // Hop 2 is silent by nature: the flow may be lost at the home router or there.
  auto t = series({"192.168.1.1", "-", "-"});
  t.usual = route({"192.168.1.1", "-", "192.0.2.254"}, 4);
  auto location = locate(Verdict::one_way, t);
  EXPECT_EQ(location.scope, Scope::unknown);
  EXPECT_THAT(location.evidence, HasSubstr("between hop 1 (192.168.1.1) and hop 2"));
  // Without any trace of better days silence means nothing.
  t.usual.reset();
  location = locate(Verdict::one_way, t);
  EXPECT_EQ(location.scope, Scope::unknown);
  EXPECT_EQ(location.evidence, "");
}

TEST(Scope, AnotherUplinksTraceStandsInForBetterDays) {
  auto t = series({"192.168.1.1", "100.64.0.1", "-"});
  t.usual.reset();
  t.length = 4;
  t.other = route({"10.9.0.1", "192.0.2.254"}, 3);
  const auto location = locate(Verdict::one_way, t);
  EXPECT_EQ(location.scope, Scope::carrier) << location.evidence;
  auto whole = elsewhere(series(kSeries));
  whole.usual.reset();
  EXPECT_EQ(locate(Verdict::one_way, whole).scope, Scope::unknown) << "there may be more hops";
  whole.length = 4;
  EXPECT_EQ(locate(Verdict::one_way, whole).scope, Scope::carrier) << "all of them answer: a filter";
  t.length.reset();
  EXPECT_EQ(locate(Verdict::one_way, t).scope, Scope::unknown) << "how far the far end is must be known";
}

TEST(Scope, ARouterBelongsToWhomItsAddressSays) {
  auto t = series({});
  EXPECT_EQ(owner(t, 1), Scope::home);
  EXPECT_EQ(owner(t, 2), Scope::carrier);
  EXPECT_EQ(owner(t, 3), Scope::beyond) << "the last before the far end";
  EXPECT_EQ(owner(t, 4), Scope::unknown);
  t.usual = route({"192.168.1.1", "192.168.0.1", "198.51.100.9", "192.0.2.9", "203.0.113.9"}, 6);
  EXPECT_EQ(owner(t, 2), Scope::unknown) << "a second router at home, or inside the carrier";
  EXPECT_EQ(owner(t, 3), Scope::carrier) << "the first public one";
  EXPECT_EQ(owner(t, 4), Scope::unknown);
  t.other = route({"192.0.2.9"});
  EXPECT_EQ(owner(t, 4), Scope::beyond) << "another carrier's packets pass it, too";
  t.own = IpAddress::parse("123.45.0.2");
  t.usual = route({"123.45.0.1", "10.1.0.1"}, 5);
  EXPECT_EQ(owner(t, 1), Scope::carrier) << "no NAT of ours in front";
  t.own = IpAddress::parse("2001:db8::2");
  t.usual = route({"2001:db8::1", "2001:db8:1::1"}, 5);
  EXPECT_EQ(owner(t, 1), Scope::unknown) << "IPv6 has no address that would tell";
}

TEST(Scope, AnIpv6FilterIsNobodysByItsHopsAlone) {
  Trail t;
  t.own = IpAddress::parse("2001:db8::2");
  t.usual = t.now = route({"2001:db8::1", "2001:db8:1::1"}, 3);
  const auto location = locate(Verdict::one_way, elsewhere(t));
  EXPECT_EQ(location.scope, Scope::unknown) << "a home router's firewall lets routers' errors in, too";
  EXPECT_THAT(location.evidence, HasSubstr("Every hop still answers"));
}

TEST(Scope, TheConclusionSaysItInTheSentence) {
  Evidence e;
  e.facts.steady = e.facts.fresh = Tri::no;
  e.facts.forward = Tri::yes;
  e.facts.successors = Successors::died;
  e.figures.uplink = "mansion";
  e.trail = series({"192.168.1.1", "100.64.0.1", "-"});
  const auto lost = conclude(decide(e.facts), e);
  EXPECT_EQ(lost.scope, Scope::carrier);
  EXPECT_THAT(lost.why, HasSubstr("another uplink. The flow is lost at hop 2"));
  e.facts.link = Tri::no;
  const auto gone = conclude(decide(e.facts), e);
  EXPECT_EQ(gone.verdict, Verdict::down);
  EXPECT_EQ(gone.scope, Scope::unknown);
}

// Whoever shows the place beside the sentence must know which part of it that is.
TEST(Scope, AConclusionHasTheEvidenceByItselfAndInItsSentence) {
  Evidence e;
  e.facts.steady = Tri::no;
  e.facts.fresh = e.facts.forward = Tri::yes;
  e.facts.successors = Successors::died;
  e.trail = series({"192.168.1.1", "-", "-"});
  const auto c = conclude(decide(e.facts), e);
  EXPECT_EQ(c.scope, Scope::home);
  EXPECT_THAT(c.where, HasSubstr("hop 1 (192.168.1.1)"));
  EXPECT_THAT(c.why, HasSubstr(" " + c.where));
  e.facts.link = Tri::no;  // a link that is gone needs no trace
  EXPECT_EQ(conclude(decide(e.facts), e).where, "");
}

}  // namespace
}  // namespace ue::verdict
