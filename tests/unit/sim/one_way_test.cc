// The fault of the seed: packets leave, replies no longer come back.
#include "scenario.h"

namespace ue::sim {
namespace {

using testing::Each;
using testing::ElementsAre;

/// The carrier's NAT is switched, at `since`, to an absolute lifetime. Returns when the steady flow lost its
/// first reply to it.
std::optional<Nanos> play_lifetime(VirtualPath& path, Nanos lifetime, Nanos since, Nanos until) {
  std::optional<Nanos> first_lost;
  path.back.passes = [&, nat = absolute_lifetime(path, lifetime, since)](const Packet& p) {
    const bool passes = nat(p);
    if (!passes && !first_lost && path.elapsed() >= since) first_lost = path.elapsed() - path.out.delay;
    return passes;
  };
  path.run_until(until);
  return first_lost;
}

struct Lossy {
  double loss;
  std::uint64_t base_seed;
};
class FourSeconds : public testing::TestWithParam<Lossy> {};

TEST_P(FourSeconds, IsConcludedWithinTenSecondsOfTheFirstLostReply) {
  for (std::uint64_t seed = 0; seed < seeds(200); ++seed) {
    VirtualPath path({GetParam().base_seed + seed, seed % 4 == 0, {}, {}});
    path.out.loss = path.back.loss = GetParam().loss;
    const auto t0 = play_lifetime(path, 4s, 120s, 140s);
    ASSERT_TRUE(t0);
    const auto one_way = path.first(Verdict::one_way, 120s);
    ASSERT_TRUE(one_way) << seed << "\n" << path.story();
    // Where both were proven at the same moment, return_lost is never shown.
    const auto return_lost = path.first(Verdict::return_lost, 120s).value_or(*one_way);
    EXPECT_LE(return_lost - *t0, 10s) << seed << "\n" << path.story();
    EXPECT_LE(*one_way - *t0, 10s) << seed << "\n" << path.story();
  }
}
INSTANTIATE_TEST_SUITE_P(Loss, FourSeconds,
                         testing::Values(Lossy{0, 1000}, Lossy{.02, 2000}, Lossy{.05, 3000}));

TEST(OneWay, NamesTheAgeAtWhichRepliesEnd) {
  VirtualPath path(3);
  play_lifetime(path, 4s, 120s, 140s);
  EXPECT_NEAR(to_seconds(path.observe().dies_at_age.value()), 4, .6);
  EXPECT_THAT(path.conclusion().why, testing::HasSubstr("no keepalive helps"));
}

TEST(OneWay, ALongerLifetimeIsConcludedSixSecondsAfterIt) {
  for (const auto lifetime : {30s, 120s}) {
    for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
      VirtualPath path(seed);
      const auto t0 = play_lifetime(path, lifetime, 200s, 360s);
      const auto one_way = path.first(Verdict::one_way, 200s);
      ASSERT_TRUE(t0 && one_way) << path.story();
      EXPECT_LE(*one_way - *t0, lifetime + 6s) << path.story();
      EXPECT_GE(*one_way - *t0, lifetime) << path.story();
      EXPECT_THAT(verdicts_since(path, 100s), ElementsAre(Verdict::return_lost, Verdict::one_way));
    }
  }
}

TEST(OneWay, NothingComesBackFromSomeMoment) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    VirtualPath path(seed);
    path.at(100s, [&] { path.back.passes = nothing(); });  // b1; b2 looks the same from here
    path.run_until(180s);
    ASSERT_TRUE(path.first(Verdict::one_way)) << path.story();
    EXPECT_LE(*path.first(Verdict::one_way), 111s) << path.story();
    EXPECT_THAT(verdicts_since(path, 100s), Each(testing::AnyOf(Verdict::return_lost, Verdict::one_way)));
  }
}

TEST(OneWay, NothingEverCameBack) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    VirtualPath path(seed);
    path.back.passes = nothing();
    path.run_until(60s);
    ASSERT_TRUE(path.first(Verdict::one_way)) << path.story();
    EXPECT_LE(*path.first(Verdict::one_way), 10s) << path.story();
    EXPECT_EQ(path.observe().dies_at_age, Nanos(0));
  }
}

TEST(OneWay, AFourSecondLifetimeFromTheStartIsNeverHealthy) {
  for (std::uint64_t seed = 1; seed <= seeds(20); ++seed) {
    VirtualPath path(seed);
    play_lifetime(path, 4s, 0s, 600s);
    EXPECT_EQ(path.verdict(), Verdict::one_way) << path.story();
    EXPECT_FALSE(path.first(Verdict::healthy)) << path.story();
  }
}

TEST(OneWay, ItIsSeenThroughAnotherUplinksTcp) {
  VirtualPath path(5);
  path.tcp.other = true;
  path.at(100s, [&] {
    path.tcp.own = false;
    path.back.passes = nothing();
  });
  path.run_until(150s);
  EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy, Verdict::one_way)) << path.story();
  EXPECT_FALSE(path.observe().tcp.value_or(true));
}

TEST(OneWay, NewFlowsThatAnswerTellEvenWithoutTheQueryChannel) {
  VirtualPath path(6);
  path.tcp.own = false;
  play_lifetime(path, 4s, 120s, 160s);
  EXPECT_EQ(path.verdict(), Verdict::one_way) << path.story();
}

TEST(OneWay, WithoutAnyWordFromThereItIsNotClaimed) {
  VirtualPath path(7);
  path.tcp.own = false;
  path.at(100s, [&] { path.back.passes = nothing(); });
  path.run_until(400s);
  EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy, Verdict::down)) << path.story();
}

TEST(OneWay, AnAnswerOfAnotherInstanceProvesNothing) {
  VirtualPath path(8);
  path.asked_instance = path.add_reflector(99);
  path.at(100s, [&] { path.back.passes = nothing(); });
  path.run_until(300s);
  EXPECT_THAT(verdicts(path), ElementsAre(Verdict::healthy, Verdict::no_return)) << path.story();
}

}  // namespace
}  // namespace ue::sim
