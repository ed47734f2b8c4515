#include "verdict/uplink_verdict.h"

#include <gmock/gmock.h>

namespace ue::verdict {
namespace {

using testing::HasSubstr;
using testing::Not;

const Conclusion kNone{Verdict::unknown, "No reflector is configured for mansion."};

Conclusion combine_two(Verdict first, Verdict second, const std::string& preferred = {}) {
  return combine({{"cloud", {first, "First."}}, {"spare", {second, "Second."}}}, preferred, kNone);
}

TEST(Combine, WithoutPathsTheFaultIsTold) {
  const auto c = combine({}, "", kNone);
  EXPECT_EQ(c.verdict, Verdict::unknown);
  EXPECT_EQ(c.why, kNone.why);
}

TEST(Combine, APathThatWorksProvesTheUplink) {
  for (const auto v : {Verdict::down, Verdict::one_way, Verdict::reflector_down, Verdict::udp_blocked,
                       Verdict::no_return, Verdict::unknown}) {
    EXPECT_EQ(combine_two(v, Verdict::healthy).verdict, Verdict::healthy) << name(v);
    EXPECT_EQ(combine_two(Verdict::healthy, v).verdict, Verdict::healthy) << name(v);
  }
}

TEST(Combine, TheTunnelsOwnReflectorDecides) {
  EXPECT_EQ(combine_two(Verdict::one_way, Verdict::healthy, "cloud").verdict, Verdict::one_way);
  EXPECT_EQ(combine_two(Verdict::one_way, Verdict::healthy, "spare").verdict, Verdict::healthy);
  EXPECT_EQ(combine_two(Verdict::healthy, Verdict::one_way, "spare").verdict, Verdict::one_way);
}

TEST(Combine, UnlessNothingIsKnownOfItOrItIsDeadItself) {
  EXPECT_EQ(combine_two(Verdict::unknown, Verdict::one_way, "cloud").verdict, Verdict::one_way);
  EXPECT_EQ(combine_two(Verdict::reflector_down, Verdict::healthy, "cloud").verdict, Verdict::healthy);
  EXPECT_EQ(combine_two(Verdict::reflector_down, Verdict::unknown, "cloud").verdict, Verdict::reflector_down);
}

TEST(Combine, AnUnknownPreferenceIsNone) {
  EXPECT_EQ(combine_two(Verdict::one_way, Verdict::healthy, "elsewhere").verdict, Verdict::healthy);
}

TEST(Combine, AFaultOfTheGatewayIsNeverHidden) {
  EXPECT_EQ(combine_two(Verdict::healthy, Verdict::local_fault).verdict, Verdict::local_fault);
}

TEST(Combine, AShortMappingIsTheNatsWhoeverMeasuredIt) {
  for (const auto v : {Verdict::healthy, Verdict::lossy, Verdict::unknown, Verdict::reflector_down}) {
    EXPECT_EQ(combine_two(v, Verdict::short_mapping).verdict, Verdict::short_mapping) << name(v);
    EXPECT_EQ(combine_two(Verdict::short_mapping, v).verdict, Verdict::short_mapping) << name(v);
  }
}

TEST(Combine, ABlackHoleIsHiddenOnlyByWhoLetsLargePacketsPass) {
  const PathOpinion hole{"cloud", {Verdict::mtu_blackhole, "First."}};
  for (const auto v : {Verdict::healthy, Verdict::lossy}) {
    const PathOpinion small{"stun", {v, "Second."}};
    const PathOpinion large{"spare", {v, "Third."}, true};
    EXPECT_EQ(combine({hole, small}, "", kNone).verdict, Verdict::mtu_blackhole) << name(v);
    EXPECT_EQ(combine({small, hole}, "", kNone).verdict, Verdict::mtu_blackhole) << name(v);
    EXPECT_EQ(combine({hole, large}, "", kNone).verdict, v);
    EXPECT_EQ(combine({hole, small}, "stun", kNone).verdict, v) << "the tunnel's own reflector decides";
  }
  EXPECT_EQ(combine({{"a", {Verdict::lossy, ""}, true}, {"b", {Verdict::healthy, ""}}}, "", kNone).verdict,
            Verdict::healthy);
}

TEST(Combine, WhatTheFarEndProvedIsToldBeforeMereSilence) {
  EXPECT_EQ(combine_two(Verdict::down, Verdict::one_way).verdict, Verdict::one_way);
  EXPECT_EQ(combine_two(Verdict::reflector_down, Verdict::down).verdict, Verdict::down);
}

TEST(Combine, SaysWherePathsDiffer) {
  EXPECT_EQ(combine_two(Verdict::one_way, Verdict::healthy, "cloud").why,
            "First. The path to spare is healthy.");
  EXPECT_EQ(combine_two(Verdict::healthy, Verdict::healthy).why, "First.");
  EXPECT_EQ(combine_two(Verdict::healthy, Verdict::unknown).why, "First.");
}

}  // namespace
}  // namespace ue::verdict
