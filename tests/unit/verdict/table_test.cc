#include "verdict/table.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace ue::verdict {
namespace {

constexpr std::array kTris{Tri::no, Tri::yes, Tri::unknown};
constexpr std::array kSuccessors{Successors::unknown, Successors::died, Successors::outlived};

/// Every Tri of the facts, so that the walk over all combinations cannot forget one.
using Field = Tri Facts::*;
constexpr std::array kFields{&Facts::link,      &Facts::local,   &Facts::forward,     &Facts::steady,
                             &Facts::fresh,     &Facts::size,    &Facts::tcp,         &Facts::attributable,
                             &Facts::reflector, &Facts::refused, &Facts::short_lived, &Facts::lossy};
static_assert(sizeof(Facts) == kFields.size() + 1, "a new fact must be enumerated here, too");

/// The contract's table in words of its own: what each verdict promises whoever reads it.
bool promise_kept(Verdict v, const Facts& f) {
  const bool steady_gone = f.steady == Tri::no;
  const bool arrives = f.forward == Tri::yes;
  switch (v) {
    case Verdict::local_fault:
      return f.local == Tri::no;
    case Verdict::reflector_down:
      return f.link == Tri::yes && f.reflector == Tri::no && f.refused == Tri::yes;
    case Verdict::down:
      return f.link == Tri::no || (steady_gone && f.tcp == Tri::no && !arrives);
    case Verdict::udp_blocked:
      return f.forward == Tri::no && f.tcp == Tri::yes && steady_gone;
    case Verdict::return_lost:
      return arrives && steady_gone && f.successors == Successors::unknown;
    case Verdict::one_way:
      return arrives && steady_gone && f.successors == Successors::died;
    case Verdict::stuck_mapping:
      return arrives && steady_gone && f.successors == Successors::outlived;
    case Verdict::new_flows_blocked:
      return f.steady == Tri::yes && f.fresh == Tri::no;
    case Verdict::mtu_blackhole:
      return f.steady == Tri::yes && f.size == Tri::no;
    case Verdict::no_return:
      return steady_gone && f.tcp == Tri::yes && f.forward == Tri::unknown && f.attributable == Tri::no;
    case Verdict::short_mapping:
      return f.steady == Tri::yes && f.short_lived == Tri::yes;
    case Verdict::lossy:
      return f.steady == Tri::yes && f.lossy == Tri::yes;
    case Verdict::healthy:
      return f.steady == Tri::yes && f.fresh == Tri::yes && f.size != Tri::no && f.local != Tri::no &&
             f.link != Tri::no && f.lossy != Tri::yes && f.short_lived != Tri::yes;
    case Verdict::unknown:
      return true;
  }
  return false;
}

/// Calls `visit` with each of the 3^13 combinations.
template <typename Visit>
void for_every_combination(const Visit& visit) {
  std::array<std::size_t, kFields.size()> digits{};
  for (const auto s : kSuccessors) {
    digits.fill(0);
    for (bool done = false; !done;) {
      Facts f;
      f.successors = s;
      for (std::size_t i = 0; i < kFields.size(); ++i) f.*kFields[i] = kTris[digits[i]];
      visit(f);
      std::size_t i = 0;
      while (i < digits.size() && ++digits[i] == kTris.size()) digits[i++] = 0;
      done = i == digits.size();
    }
  }
}

TEST(TableTest, EveryCombinationKeepsThePromiseOfItsVerdict) {
  std::map<Verdict, std::uint64_t> seen;
  std::uint64_t broken = 0;
  for_every_combination([&](const Facts& f) {
    const auto v = decide(f);
    ++seen[v];
    if (!promise_kept(v, f)) ++broken;
  });
  EXPECT_EQ(broken, 0U);
  std::uint64_t all = 0;
  for (const auto v : kAllVerdicts) {
    EXPECT_GT(seen[v], 0U) << name(v) << " is never reached";
    all += seen[v];
  }
  EXPECT_EQ(all, 1'594'323U);
}

TEST(TableTest, NoFaultIsEverConcludedFromKnowingLess) {
  // Forgetting one fact may lose a verdict; it must not turn a working path into a broken one.
  std::uint64_t invented = 0;
  for_every_combination([&](const Facts& f) {
    if (decide(f) != Verdict::healthy) return;
    for (const auto field : kFields) {
      Facts less = f;
      less.*field = Tri::unknown;
      const auto v = decide(less);
      if (v != Verdict::healthy && v != Verdict::unknown) ++invented;
    }
  });
  EXPECT_EQ(invented, 0U);
}

TEST(TableTest, KnowingNothingConcludesNothing) { EXPECT_EQ(decide(Facts{}), Verdict::unknown); }

TEST(TableTest, MissingRepliesAloneAreNeverForwardLoss) {
  Facts f;
  f.link = Tri::yes;
  f.steady = Tri::no;
  f.fresh = Tri::no;
  EXPECT_EQ(decide(f), Verdict::unknown);
  f.tcp = Tri::yes;
  EXPECT_EQ(decide(f), Verdict::unknown) << "the query channel may still tell";
  f.attributable = Tri::no;
  EXPECT_EQ(decide(f), Verdict::no_return);
}

TEST(TableTest, WhoRefusesWasReached) {
  Facts f;
  f.link = Tri::yes;
  f.steady = Tri::no;
  f.fresh = Tri::no;
  f.tcp = Tri::no;
  EXPECT_EQ(decide(f), Verdict::down);
  f.refused = Tri::yes;
  EXPECT_EQ(decide(f), Verdict::unknown) << "the other uplinks have not been heard yet";
  f.reflector = Tri::no;
  EXPECT_EQ(decide(f), Verdict::reflector_down);
}

}  // namespace
}  // namespace ue::verdict
