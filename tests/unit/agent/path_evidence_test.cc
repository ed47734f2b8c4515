#include "agent/path_evidence.h"

#include <gtest/gtest.h>

#include "verdict/judge.h"
#include "verdict/table.h"

namespace ue::agent {
namespace {

using verdict::Tri;
using verdict::Verdict;

TEST(PathEvidence, WhatIsNotKnownStaysUnknown) {
  const auto e = make_evidence({}, {});
  for (const auto t : {e.facts.forward, e.facts.steady, e.facts.fresh, e.facts.tcp, e.facts.attributable,
                       e.facts.lossy, e.facts.refused, e.facts.size, e.facts.short_lived})
    EXPECT_EQ(t, Tri::unknown);
  EXPECT_EQ(e.facts.successors, verdict::Successors::unknown);
  EXPECT_EQ(e.figures.forward_loss, 0);  // of no probes
  EXPECT_EQ(e.figures.unattributed_loss, 0);
}

TEST(PathEvidence, EveryObservationHasItsFact) {
  probe::Observation o;
  o.steady = false;
  o.fresh = true;
  o.forward = true;
  o.tcp = false;
  o.attributable = true;
  o.lossy = true;
  o.successors = probe::Successors::died;
  const auto f = make_evidence(o, {}).facts;
  EXPECT_EQ(f.steady, Tri::no);
  EXPECT_EQ(f.fresh, Tri::yes);
  EXPECT_EQ(f.forward, Tri::yes);
  EXPECT_EQ(f.tcp, Tri::no);
  EXPECT_EQ(f.attributable, Tri::yes);
  EXPECT_EQ(f.lossy, Tri::yes);
  EXPECT_EQ(f.successors, verdict::Successors::died);
  o.successors = probe::Successors::outlived;
  EXPECT_EQ(make_evidence(o, {}).facts.successors, verdict::Successors::outlived);
}

TEST(PathEvidence, AMappingIsShortOnlyWhereThatIsNoChance) {
  probe::Observation o;
  PathContext c;
  const auto short_lived = [&](int lower, int upper, std::uint32_t failures, std::optional<Nanos> keepalive,
                               std::uint32_t batches = 3) {
    c.stream = {std::chrono::seconds(lower), std::chrono::seconds(upper), failures, batches};
    c.stream->enough = 8;
    c.keepalive = keepalive;
    return make_evidence(o, c).facts.short_lived;
  };
  EXPECT_EQ(short_lived(20, 25, 8, std::nullopt), Tri::yes);  // of the 30 s that are assumed
  EXPECT_EQ(short_lived(20, 25, 7, std::nullopt), Tri::unknown);
  EXPECT_EQ(short_lived(20, 25, 8, std::nullopt, 2), Tri::unknown);  // a NAT that was restarted twice
  EXPECT_EQ(short_lived(20, 31, 8, std::nullopt), Tri::unknown);
  EXPECT_EQ(short_lived(30, 31, 8, std::nullopt), Tri::no);
  EXPECT_EQ(short_lived(20, 25, 8, std::chrono::seconds(10)), Tri::no);
  EXPECT_EQ(short_lived(20, 25, 8, std::chrono::seconds(60)), Tri::yes);
}

TEST(PathEvidence, WhatTcpShowsBesideCountsOnlyForAPathThatIsDeadAndKnowsNothingOfTcp) {
  PathContext c;
  c.reflector = "google";
  c.beside = PathContext::Beside{"nextcloud", true, false};
  probe::Observation o;
  o.steady = o.fresh = false;
  auto e = make_evidence(o, c);
  EXPECT_EQ(verdict::decide(e.facts), Verdict::no_return);
  EXPECT_EQ(e.figures.reflector, "nextcloud");  // whose TCP the sentence means
  c.beside = PathContext::Beside{"nextcloud", false, true};
  EXPECT_EQ(verdict::decide(make_evidence(o, c).facts), Verdict::down);
  o.tcp = true;
  e = make_evidence(o, c);
  EXPECT_EQ(e.facts.tcp, Tri::yes);
  EXPECT_EQ(e.figures.reflector, "google");
  o.tcp.reset();
  o.steady = o.fresh = true;
  EXPECT_EQ(verdict::decide(make_evidence(o, c).facts), Verdict::healthy);
  EXPECT_EQ(make_evidence(o, c).facts.tcp, Tri::unknown);
}

TEST(PathEvidence, ASuspicionEndsNoMeasurementAndBeginsNone) {
  using probe::Standing;
  EXPECT_TRUE(silence_tells(false, Standing::fine, Tri::yes));
  EXPECT_TRUE(silence_tells(true, Standing::fine, Tri::unknown));
  EXPECT_FALSE(silence_tells(false, Standing::fine, Tri::unknown));
  EXPECT_FALSE(silence_tells(true, Standing::fine, Tri::no));
  EXPECT_FALSE(silence_tells(true, Standing::trouble, Tri::yes));
}

TEST(PathEvidence, TheSizeThatDoesNotPassAndTheOneThatDoesAreTold) {
  PathContext c;
  c.size = false;
  c.tunnel_size = 1492;
  c.passing_payload = 1372;
  probe::Observation o;
  o.steady = o.fresh = true;
  const auto e = make_evidence(o, c);
  EXPECT_EQ(e.facts.size, Tri::no);
  verdict::Judge judge;
  judge.update(Instant{}, e.facts, true);
  EXPECT_EQ(judge.verdict(), Verdict::mtu_blackhole);
  EXPECT_EQ(
      verdict::conclude(judge.verdict(), e).why,
      "Small packets pass through  and tunnel-sized ones of 1492 octets do not, and no router says why: "
      "set \"mssfix 1372\" in the tunnel.");
}

TEST(PathEvidence, TheGatewayIsAtFaultOnlyWhereNothingIsAnswered) {
  PathContext c;
  c.local_fault = "rp_filter";
  probe::Observation o;
  for (const auto steady : {std::optional<bool>(), std::optional(false), std::optional(true)}) {
    o.steady = steady;
    EXPECT_EQ(make_evidence(o, c).facts.local == Tri::no, steady != true);
  }
  c.local_fault.clear();
  EXPECT_EQ(make_evidence(o, c).facts.local, Tri::unknown);
}

TEST(PathEvidence, ALinkIsDownOnlyOnceThatIsSettled) {
  PathContext c;
  EXPECT_EQ(make_evidence({}, c).facts.link, Tri::yes);
  c.link_up = false;
  c.link_settled = false;
  EXPECT_EQ(make_evidence({}, c).facts.link, Tri::unknown);
  c.link_settled = true;
  EXPECT_EQ(make_evidence({}, c).facts.link, Tri::no);
}

TEST(PathEvidence, TheReflectorIsAccusedOnlyWithProof) {
  PathContext c;
  c.silent_everywhere = true;
  EXPECT_EQ(make_evidence({}, c).facts.reflector, Tri::no);
  EXPECT_EQ(make_evidence({}, c).facts.refused, Tri::unknown);
  c.proof = "it refuses with a TCP reset";
  EXPECT_EQ(make_evidence({}, c).facts.refused, Tri::yes);
}

TEST(PathEvidence, ADirectionsLossIsOfWhatTravelledInIt) {
  probe::Observation o;
  o.window = {.answered = 60, .forward_lost = 25, .return_lost = 15, .unattributed = 100};
  const auto f = make_evidence(o, {}).figures;
  EXPECT_DOUBLE_EQ(f.forward_loss, .25);
  EXPECT_DOUBLE_EQ(f.return_loss, .2);
  EXPECT_DOUBLE_EQ(f.unattributed_loss, .5);
  EXPECT_EQ(f.window_probes, 200U);
}

TEST(PathEvidence, WhereNothingReturnsThePaceIsRfc8085s) {
  for (const auto v : verdict::kAllVerdicts) {
    const bool nothing_returns = v == Verdict::one_way || v == Verdict::udp_blocked ||
                                 v == Verdict::no_return || v == Verdict::down ||
                                 v == Verdict::reflector_down;
    EXPECT_EQ(standing_for(v) == probe::Standing::no_return, nothing_returns) << verdict::name(v);
    // What clears only on proof needs the prober to look for that proof.
    EXPECT_EQ(standing_for(v) != probe::Standing::fine, verdict::is_bad(v)) << verdict::name(v);
  }
}

TEST(PathEvidence, AFullTrackerIsTheGatewaysWhereNewFlowsDie) {
  PathContext c;
  c.tracker_full = "the table is full";
  probe::Observation o;
  o.steady = true;
  o.fresh = true;
  EXPECT_EQ(make_evidence(o, c).facts.local, Tri::unknown) << "it does no harm here";
  o.fresh = false;
  const auto e = make_evidence(o, c);
  EXPECT_EQ(e.facts.local, Tri::no);
  EXPECT_EQ(e.figures.local_fault, "the table is full");
  c.local_fault = "this machine refuses to send";
  o.steady = false;
  EXPECT_EQ(make_evidence(o, c).figures.local_fault, "the table is full") << "the refusal follows from it";
}

TEST(PathEvidence, ALifetimeThatIsTheGatewaysOwnBlamesNoCarrier) {
  probe::Observation o;
  o.steady = o.fresh = true;
  PathContext c;
  c.stream = {std::chrono::seconds(8), std::chrono::seconds(12), 9, 3};
  c.stream->enough = 8;
  c.tracker_short = "the tracker forgets after 10 s";
  const auto facts = [&](std::optional<Nanos> timeout) {
    c.tracker_timeout = timeout;
    return make_evidence(o, c).facts;
  };
  EXPECT_EQ(facts(std::chrono::seconds(10)).local, Tri::no);
  EXPECT_EQ(facts(std::chrono::seconds(10)).short_lived, Tri::unknown);
  for (const auto& other : {std::optional<Nanos>(std::chrono::seconds(120)),
                            std::optional<Nanos>(std::chrono::seconds(5)), std::optional<Nanos>()}) {
    EXPECT_EQ(facts(other).local, Tri::unknown);
    EXPECT_EQ(facts(other).short_lived, Tri::yes);
  }
  c.stream->failures = 2;
  EXPECT_EQ(facts(std::chrono::seconds(10)).local, Tri::unknown) << "that could be chance";
}

}  // namespace
}  // namespace ue::agent
