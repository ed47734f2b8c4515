#include "verdict/judge.h"

#include <gtest/gtest.h>

#include "verdict/sentence.h"
#include "verdict/table.h"
#include "verdict/uplink_verdict.h"

namespace ue::verdict {
namespace {

using namespace std::chrono_literals;

Evidence healthy_evidence() {
  Evidence e;
  e.figures.uplink = "mansion";
  e.figures.reflector = "cloud";
  e.facts.link = Tri::yes;
  e.facts.steady = Tri::yes;
  e.facts.fresh = Tri::yes;
  return e;
}

Evidence one_way_evidence() {
  auto e = healthy_evidence();
  e.facts.steady = Tri::no;
  e.facts.forward = Tri::yes;
  e.facts.successors = Successors::died;
  e.figures.dies_at_age = 4s;
  return e;
}

class JudgeTest : public testing::Test {
 protected:
  bool update(const Evidence& e, Nanos later, bool recovered = false) {
    now_ += later;
    return judge_.update(now_, e, recovered);
  }
  Verdict verdict() const { return judge_.conclusion().verdict; }

  Judge judge_;
  Instant now_{1h};
};

TEST_F(JudgeTest, BeginsUnknownAndSaysSo) {
  EXPECT_FALSE(update(Evidence{}, 0s));
  EXPECT_EQ(verdict(), Verdict::unknown);
  EXPECT_FALSE(judge_.conclusion().why.empty());
}

TEST_F(JudgeTest, ABadVerdictClearsOnlyOnProof) {
  update(healthy_evidence(), 0s);
  EXPECT_TRUE(update(one_way_evidence(), 1s));
  EXPECT_EQ(verdict(), Verdict::one_way);
  EXPECT_FALSE(update(healthy_evidence(), 1h)) << "no flow has lived long enough";
  EXPECT_EQ(verdict(), Verdict::one_way);
  EXPECT_TRUE(update(healthy_evidence(), 1s, true));
  EXPECT_EQ(verdict(), Verdict::healthy);
}

TEST_F(JudgeTest, TheOldVerdictStandsWhileTheEvidenceIsIncomplete) {
  update(healthy_evidence(), 0s);
  auto partial = healthy_evidence();
  partial.facts.steady = Tri::unknown;
  EXPECT_FALSE(update(partial, 119s));
  EXPECT_EQ(verdict(), Verdict::healthy);
  EXPECT_TRUE(update(partial, 2s));
  EXPECT_EQ(verdict(), Verdict::unknown);
}

TEST_F(JudgeTest, OneFaultMayGiveWayToAnotherAtOnce) {
  update(one_way_evidence(), 0s);
  auto outage = one_way_evidence();
  outage.facts.forward = Tri::no;
  outage.facts.fresh = Tri::no;
  outage.facts.tcp = Tri::no;
  EXPECT_TRUE(update(outage, 1s));
  EXPECT_EQ(verdict(), Verdict::down);
}

TEST(SentenceTest, EveryVerdictIsExplainedInWholeSentences) {
  auto e = one_way_evidence();
  e.figures.link_fault = "eth2 has no carrier";
  e.figures.local_fault = "rp_filter drops replies";
  e.figures.proof = "it refuses";
  for (const auto v : kAllVerdicts) {
    const auto why = explain(v, e);
    EXPECT_GT(why.size(), 20U) << name(v);
    EXPECT_EQ(why.back(), '.') << why;
  }
}

TEST(SentenceTest, OneWayNamesTheAgeAndTheCure) {
  const auto why = explain(Verdict::one_way, one_way_evidence());
  EXPECT_NE(why.find("4s"), std::string::npos) << why;
  EXPECT_NE(why.find("mansion"), std::string::npos) << why;
  EXPECT_NE(why.find("another uplink"), std::string::npos) << why;
}

TEST(SentenceTest, DownWithoutAWitnessAdmitsThatItCouldBeTheReflector) {
  auto e = healthy_evidence();
  e.figures.every_uplink_silent = true;
  EXPECT_NE(explain(Verdict::down, e).find("could be cloud itself"), std::string::npos);
  e.figures.witness_configured = true;
  EXPECT_EQ(explain(Verdict::down, e).find("could be cloud itself"), std::string::npos);
}

Conclusion concluded(Verdict v) { return {v, "Because."}; }

TEST(UplinkVerdictTest, APathThatWorksClearsTheUplinkOfADeadReflector) {
  const auto c =
      combine({{"a", concluded(Verdict::reflector_down)}, {"b", concluded(Verdict::healthy)}}, "", {});
  EXPECT_EQ(c.verdict, Verdict::healthy);
  EXPECT_NE(c.why.find("path to a is reflector_down"), std::string::npos) << c.why;
}

TEST(UplinkVerdictTest, TheTunnelsOwnReflectorSpeaks) {
  const std::vector<PathOpinion> paths{{"a", concluded(Verdict::one_way)},
                                       {"b", concluded(Verdict::healthy)}};
  EXPECT_EQ(combine(paths, "a", {}).verdict, Verdict::one_way);
  EXPECT_EQ(combine(paths, "", {}).verdict, Verdict::healthy);
}

TEST(UplinkVerdictTest, TheTunnelsOwnReflectorsDeathSaysNothingAboutTheUplink) {
  const std::vector<PathOpinion> paths{{"a", concluded(Verdict::reflector_down)},
                                       {"b", concluded(Verdict::healthy)}};
  EXPECT_EQ(combine(paths, "a", {}).verdict, Verdict::healthy);
}

TEST(UplinkVerdictTest, WithoutPathsTheLinkSpeaks) {
  EXPECT_EQ(combine({}, "", concluded(Verdict::down)).verdict, Verdict::down);
}

}  // namespace
}  // namespace ue::verdict
