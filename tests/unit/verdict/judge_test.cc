#include "verdict/judge.h"

#include <gtest/gtest.h>

namespace ue::verdict {
namespace {

using namespace std::chrono_literals;

Evidence healthy() {
  Evidence e;
  e.facts.steady = e.facts.fresh = e.facts.forward = Tri::yes;
  e.figures.uplink = "mansion";
  e.figures.reflector = "cloud";
  return e;
}

Evidence dead(Successors successors) {
  auto e = healthy();
  e.facts.steady = Tri::no;
  e.facts.successors = successors;
  return e;
}

Evidence nothing() {
  Evidence e;
  e.figures.uplink = "mansion";
  return e;
}

class JudgeTest : public testing::Test {
 protected:
  bool tell(Nanos at, const Evidence& e, bool recovered = false) {
    return judge_.update(Instant{} + at, e.facts, recovered) == Heard::changed;
  }
  Verdict verdict() const { return judge_.verdict(); }
  Judge judge_;
};

TEST_F(JudgeTest, BeginsUnknownWithASentence) {
  EXPECT_FALSE(tell(1s, nothing()));
  EXPECT_EQ(verdict(), Verdict::unknown);
  EXPECT_EQ(conclude(verdict(), nothing()).why, "Not enough evidence yet about mansion.");
}

TEST_F(JudgeTest, SaysWhenTheVerdictChangesAndOnlyThen) {
  EXPECT_TRUE(tell(1s, healthy()));
  EXPECT_FALSE(tell(2s, healthy()));
  EXPECT_TRUE(tell(3s, dead(Successors::unknown)));
  EXPECT_TRUE(tell(4s, dead(Successors::died)));
  EXPECT_EQ(verdict(), Verdict::one_way);
}

TEST_F(JudgeTest, TheOldVerdictStandsWhileEvidenceIsMissingForTwoMinutes) {
  tell(10s, healthy());
  EXPECT_FALSE(tell(11s, nothing()));
  EXPECT_FALSE(tell(129s, nothing()));
  EXPECT_EQ(verdict(), Verdict::healthy);
  EXPECT_TRUE(tell(130s, nothing()));
  EXPECT_EQ(verdict(), Verdict::unknown);
}

TEST_F(JudgeTest, EvidenceRenewsThePatience) {
  tell(10s, healthy());
  tell(100s, nothing());
  tell(101s, healthy());
  EXPECT_FALSE(tell(220s, nothing()));
  EXPECT_EQ(verdict(), Verdict::healthy);
}

TEST_F(JudgeTest, ABadVerdictStandsForAsLongAsAPacedPathTakesToProveItAnew) {
  tell(10s, dead(Successors::died));
  EXPECT_FALSE(tell(309s, nothing()));
  EXPECT_EQ(verdict(), Verdict::one_way);
  EXPECT_TRUE(tell(310s, nothing()));
  EXPECT_EQ(verdict(), Verdict::unknown);
}

TEST_F(JudgeTest, ABadVerdictClearsOnlyOnProof) {
  tell(1s, dead(Successors::died));
  EXPECT_FALSE(tell(2s, healthy()));
  EXPECT_FALSE(tell(1000s, healthy()));
  EXPECT_EQ(verdict(), Verdict::one_way);
  EXPECT_TRUE(tell(1001s, healthy(), true));
  EXPECT_EQ(verdict(), Verdict::healthy);
}

TEST_F(JudgeTest, ABadVerdictMayTurnIntoAnotherAtOnce) {
  tell(1s, dead(Successors::unknown));
  EXPECT_TRUE(tell(2s, dead(Successors::outlived)));
  EXPECT_EQ(verdict(), Verdict::stuck_mapping);
}

TEST_F(JudgeTest, AFaultOfTheGatewayReplacesABadVerdictWithoutProof) {
  tell(1s, dead(Successors::died));
  auto e = dead(Successors::died);
  e.facts.local = Tri::no;
  e.figures.local_fault = "no route";
  EXPECT_TRUE(tell(2s, e));
  EXPECT_EQ(verdict(), Verdict::local_fault);
  EXPECT_TRUE(tell(3s, healthy()));  // and clears without it
}

TEST_F(JudgeTest, WhatIsNotBadClearsAtOnce) {
  auto e = healthy();
  e.facts.lossy = Tri::yes;
  tell(1s, e);
  EXPECT_EQ(verdict(), Verdict::lossy);
  EXPECT_TRUE(tell(2s, healthy()));
}

TEST_F(JudgeTest, TellsEvidenceForTheVerdictFromTooLittle) {
  EXPECT_EQ(judge_.update(Instant{} + 1s, nothing().facts, false), Heard::stands);
  EXPECT_EQ(judge_.update(Instant{} + 2s, healthy().facts, false), Heard::changed);
  EXPECT_EQ(judge_.update(Instant{} + 3s, healthy().facts, false), Heard::confirmed);
  EXPECT_EQ(judge_.update(Instant{} + 4s, nothing().facts, false), Heard::stands);
  tell(5s, dead(Successors::died));
  EXPECT_EQ(judge_.update(Instant{} + 6s, healthy().facts, false), Heard::stands) << "not proven yet";
}

TEST(IsBad, AreThoseThatKeepTrafficFromGettingThrough) {
  for (const auto v :
       {Verdict::reflector_down, Verdict::down, Verdict::udp_blocked, Verdict::return_lost, Verdict::one_way,
        Verdict::stuck_mapping, Verdict::new_flows_blocked, Verdict::no_return})
    EXPECT_TRUE(is_bad(v)) << name(v);
  for (const auto v : {Verdict::healthy, Verdict::lossy, Verdict::unknown, Verdict::local_fault,
                       Verdict::short_mapping, Verdict::mtu_blackhole})
    EXPECT_FALSE(is_bad(v)) << name(v);
}

}  // namespace
}  // namespace ue::verdict
