#include "verdict/sentence.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <set>

namespace ue::verdict {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

Evidence full() {
  Evidence e;
  auto& f = e.figures;
  f.uplink = "mansion";
  f.reflector = "cloud";
  f.forward_loss = .031;
  f.return_loss = .124;
  f.unattributed_loss = .002;
  f.window_probes = 140;
  f.losses_in_a_row = 9;
  f.losses_needed = 8;
  f.delivered_unanswered = 12;
  f.dead_fresh_flows = 4;
  f.dies_at_age = 4s;
  f.outlived_age = 200s;
  f.rtt = 41200us;
  f.link_fault = "eth2 has no carrier";
  f.local_fault = "rp_filter refuses the replies";
  f.proof = "it refuses with a TCP reset";
  f.query_fault = "time-out";
  return e;
}

/// One sentence: a capital at the start, one period, at the very end.
void expect_sentence(Verdict v, const Evidence& e) {
  const auto why = explain(v, e);
  SCOPED_TRACE(std::string(name(v)) + ": " + why);
  ASSERT_FALSE(why.empty());
  EXPECT_EQ(why.back(), '.');
  EXPECT_TRUE((why.front() >= 'A' && why.front() <= 'Z') || why.front() == 'c');  // a name may begin it
  EXPECT_THAT(why, Not(HasSubstr(". ")));
  EXPECT_THAT(why, Not(HasSubstr("  ")));
  EXPECT_THAT(why, Not(HasSubstr("()")));
  EXPECT_THAT(why, Not(HasSubstr("nan %")));
  EXPECT_THAT(why, Not(HasSubstr("unknown")));
}

TEST(Sentence, EveryVerdictIsOneSentence) {
  std::set<std::string> texts;
  for (const auto v : kAllVerdicts) {
    expect_sentence(v, full());
    texts.insert(explain(v, full()));
  }
  EXPECT_EQ(texts.size(), kVerdicts);
}

TEST(Sentence, ItNeedsNoFigureThatIsNotKnown) {
  Evidence e;
  e.figures.uplink = "mansion";
  e.figures.reflector = "cloud";
  e.figures.link_fault = "eth2 has no carrier";
  e.figures.local_fault = "no route";
  e.figures.proof = "it refuses";
  for (const auto v : kAllVerdicts) expect_sentence(v, e);
  EXPECT_THAT(explain(Verdict::healthy, e), Not(HasSubstr("ms")));
  EXPECT_THAT(explain(Verdict::one_way, e), HasSubstr("new flows get no reply at all"));
  EXPECT_THAT(explain(Verdict::one_way, e), Not(HasSubstr("received 0")));
  EXPECT_THAT(explain(Verdict::stuck_mapping, e), Not(HasSubstr("for 0s")));
  EXPECT_THAT(explain(Verdict::short_mapping, e), Not(HasSubstr("within 0s")));
}

TEST(Sentence, AShortMappingNamesTheKeepaliveThatSurvives) {
  Evidence e;
  e.figures.uplink = "mansion";
  e.figures.keepalive = std::chrono::seconds(30);
  e.figures.survived_silence = std::chrono::seconds(19);
  e.figures.fatal_silence = std::chrono::seconds(20);
  EXPECT_EQ(explain(Verdict::short_mapping, e),
            "The NAT behind mansion forgets a flow after 20s of silence (19s is survived), and the tunnel is "
            "taken to "
            "send one every 30s: set \"keepalive 12 72\" or less.");
  e.figures.keepalive_known = true;
  e.figures.survived_silence = std::chrono::seconds(1);
  EXPECT_THAT(explain(Verdict::short_mapping, e), HasSubstr("no keepalive survives that"));
}

TEST(Sentence, OneWayTellsTheProofTheAgeAndTheCure) {
  EXPECT_EQ(explain(Verdict::one_way, full()),
            "Packets leave through mansion but replies no longer come back: cloud says over TCP that it "
            "received 12 of "
            "the unanswered probes, and new flows lose theirs about 4s after they open; no keepalive helps, "
            "so route "
            "the tunnel through another uplink.");
  auto e = full();
  e.figures.answered_via_other_uplink = true;
  EXPECT_THAT(explain(Verdict::one_way, e), HasSubstr("over TCP through another uplink that it received 12"));
}

TEST(Sentence, DownTellsALinkFromAnOutageAndAnOutageFromADeadReflector) {
  auto e = full();
  e.facts.link = Tri::no;
  EXPECT_EQ(explain(Verdict::down, e), "Uplink mansion is down: eth2 has no carrier.");
  e.facts.link = Tri::yes;
  EXPECT_THAT(explain(Verdict::down, e), HasSubstr("the uplink or its carrier is out"));
  e.figures.every_uplink_silent = true;
  EXPECT_THAT(explain(Verdict::down, e), HasSubstr("it could be cloud itself"));
  e.figures.witness_configured = true;
  EXPECT_THAT(explain(Verdict::down, e), Not(HasSubstr("could be cloud")));
}

TEST(Sentence, WhoRefusesIsNamed) {
  auto e = full();
  e.figures.complaint = "192.0.2.1 refuses them with ICMP admin-prohibited";
  for (const auto v : {Verdict::udp_blocked, Verdict::new_flows_blocked, Verdict::down})
    EXPECT_THAT(explain(v, e), HasSubstr("(192.0.2.1 refuses them with ICMP admin-prohibited)")) << name(v);
}

TEST(Sentence, LossHasBothDirections) {
  EXPECT_THAT(explain(Verdict::lossy, full()), HasSubstr("3 % on the way out, 12 % on the way back"));
  EXPECT_THAT(explain(Verdict::lossy, full()), HasSubstr("140 probes"));
}

TEST(Sentence, TheOthersNameWhatTheyRestOn) {
  EXPECT_THAT(explain(Verdict::stuck_mapping, full()), HasSubstr("answered for 3m20s"));
  EXPECT_THAT(explain(Verdict::return_lost, full()), HasSubstr("9 replies in a row"));
  EXPECT_THAT(explain(Verdict::new_flows_blocked, full()), HasSubstr("the last 4 new flows"));
  EXPECT_THAT(explain(Verdict::no_return, full()), HasSubstr("(time-out)"));
  EXPECT_THAT(explain(Verdict::reflector_down, full()), HasSubstr("it refuses with a TCP reset"));
  EXPECT_THAT(explain(Verdict::local_fault, full()), HasSubstr("rp_filter refuses the replies"));
  EXPECT_THAT(explain(Verdict::healthy, full()), HasSubstr("after 41.2 ms"));
}

TEST(Sentence, OtherFlowsAreNamedWhereTheyAgree) {
  auto e = full();
  e.figures.bystanders = 12;
  e.figures.bystanders_unreplied = 11;
  for (const auto v :
       {Verdict::down, Verdict::udp_blocked, Verdict::return_lost, Verdict::one_way, Verdict::no_return}) {
    EXPECT_THAT(explain(v, e), HasSubstr("of 12 other UDP flows through mansion in the last two minutes 11"));
    expect_sentence(v, e);
  }
  EXPECT_THAT(explain(Verdict::healthy, e), Not(HasSubstr("other UDP flows")));
  e.figures.bystanders_unreplied = 2;
  EXPECT_THAT(explain(Verdict::one_way, e), Not(HasSubstr("other UDP flows"))) << "they are answered";
  e.figures.bystanders = e.figures.bystanders_unreplied = 2;
  EXPECT_THAT(explain(Verdict::one_way, e), Not(HasSubstr("other UDP flows"))) << "too few to say anything";
}

}  // namespace
}  // namespace ue::verdict
