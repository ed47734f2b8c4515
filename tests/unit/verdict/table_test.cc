// The table against a second formulation of the contract, over every combination of facts.
#include "verdict/table.h"

#include <gtest/gtest.h>

#include <vector>

namespace ue::verdict {
namespace {

constexpr std::size_t kFacts = 13;
constexpr std::size_t kCombinations = 1'594'323;  // 3^13
using Digits = std::array<std::uint8_t, kFacts>;
enum Field {
  link,
  local,
  forward,
  steady,
  fresh,
  size,
  tcp,
  attributable,
  reflector,
  refused,
  short_lived,
  lossy,
  successors
};
constexpr std::uint8_t kNo = 0;
constexpr std::uint8_t kYes = 1;
constexpr std::uint8_t kUnknown = 2;  // of `successors`: kNo is died, kYes is outlived

Facts facts(const Digits& d) {
  const auto t = [&](Field f) { return static_cast<Tri>(d[f]); };
  const auto s = d[successors] == kUnknown ? Successors::unknown
                 : d[successors] == kNo    ? Successors::died
                                           : Successors::outlived;
  return {t(link),         t(local),     t(forward), t(steady), t(fresh),       t(size), t(tcp),
          t(attributable), t(reflector), t(refused), s,         t(short_lived), t(lossy)};
}

std::size_t index_of(const Digits& d) {
  std::size_t i = 0;
  for (const auto digit : d) i = i * 3 + digit;
  return i;
}

template <typename Visit>
void for_every_combination(Visit visit) {
  Digits d{};
  for (std::size_t i = 0; i < kCombinations; ++i) {
    visit(i, d);
    for (std::size_t f = kFacts; f-- > 0;) {
      if (++d[f] < 3) break;
      d[f] = 0;
    }
  }
}

/// What each verdict needs, as the contract words it: a list of (field, value) that must all hold; `down` has
/// two ways.
struct Need {
  Verdict verdict;
  std::vector<std::pair<Field, std::uint8_t>> is;
  std::vector<std::pair<Field, std::uint8_t>> is_not;
};
const std::vector<Need>& contract() {
  static const std::vector<Need> kContract{
      {Verdict::local_fault, {{local, kNo}}, {}},
      {Verdict::reflector_down, {{link, kYes}, {reflector, kNo}, {refused, kYes}}, {}},
      {Verdict::down, {{link, kNo}}, {}},
      {Verdict::down, {{steady, kNo}, {fresh, kNo}, {tcp, kNo}}, {{forward, kYes}, {refused, kYes}}},
      {Verdict::udp_blocked, {{steady, kNo}, {fresh, kNo}, {forward, kNo}, {tcp, kYes}}, {}},
      {Verdict::return_lost, {{steady, kNo}, {forward, kYes}, {successors, kUnknown}}, {}},
      {Verdict::one_way, {{steady, kNo}, {forward, kYes}, {successors, kNo}}, {}},
      {Verdict::stuck_mapping, {{steady, kNo}, {forward, kYes}, {successors, kYes}}, {}},
      {Verdict::new_flows_blocked, {{steady, kYes}, {fresh, kNo}}, {}},
      {Verdict::mtu_blackhole, {{steady, kYes}, {size, kNo}}, {}},
      {Verdict::no_return, {{steady, kNo}, {fresh, kNo}, {tcp, kYes}, {attributable, kNo}}, {}},
      {Verdict::short_mapping, {{steady, kYes}, {short_lived, kYes}}, {}},
      {Verdict::lossy, {{steady, kYes}, {lossy, kYes}}, {}},
      {Verdict::healthy, {{steady, kYes}, {fresh, kYes}}, {}},
  };
  return kContract;
}

bool holds(const Need& n, const Digits& d) {
  for (const auto& [f, v] : n.is) {
    if (d[f] != v) return false;
  }
  for (const auto& [f, v] : n.is_not) {
    if (d[f] == v) return false;
  }
  return true;
}

TEST(Table, EveryCombinationFollowsTheContract) {
  std::size_t wrong = 0;
  std::array<std::size_t, kVerdicts> seen{};
  for_every_combination([&](std::size_t, const Digits& d) {
    auto expected = Verdict::unknown;
    for (const auto& n : contract()) {
      if (!holds(n, d)) continue;
      expected = n.verdict;
      break;
    }
    const auto got = decide(facts(d));
    ++seen[static_cast<std::size_t>(got)];
    if (got != expected && ++wrong < 5) {
      ADD_FAILURE() << "combination " << index_of(d) << ": " << name(got) << ", not " << name(expected);
    }
  });
  EXPECT_EQ(wrong, 0U);
  for (const auto v : kAllVerdicts) EXPECT_GT(seen[static_cast<std::size_t>(v)], 0U) << name(v);
}

std::vector<Verdict> all_decisions() {
  std::vector<Verdict> decisions(kCombinations);
  for_every_combination([&](std::size_t i, const Digits& d) { decisions[i] = decide(facts(d)); });
  return decisions;
}

bool accuses_carrier(Verdict v) {
  return v == Verdict::one_way || v == Verdict::stuck_mapping || v == Verdict::udp_blocked ||
         v == Verdict::reflector_down || v == Verdict::down;
}

/// Forgetting a fact may withdraw a verdict and let a later one of the list through that held all along. It
/// never makes evidence. The exceptions are named: `down` is what is said of silence, so knowing that packets
/// arrive, or that the reflector refuses, stands against it.
TEST(Table, IgnoranceNeverAccuses) {
  const auto decisions = all_decisions();
  std::size_t wrong = 0;
  for_every_combination([&](std::size_t i, Digits d) {
    for (std::size_t f = 0; f < kFacts; ++f) {
      if (d[f] == kUnknown) continue;
      const bool spoke_against_down = (f == forward || f == refused) && d[f] == kYes;
      auto forgetful = d;
      forgetful[f] = kUnknown;
      const auto v = decisions[index_of(forgetful)];
      if (!accuses_carrier(v) || v == decisions[i] || decisions[i] < v) continue;
      if (v == Verdict::down && spoke_against_down) continue;
      if (++wrong < 5) {
        ADD_FAILURE() << "forgetting fact " << f << " of combination " << i << " turns " << name(decisions[i])
                      << " into " << name(v);
      }
    }
  });
  EXPECT_EQ(wrong, 0U);
}

TEST(Table, NothingKnownIsUnknown) { EXPECT_EQ(decide(Facts{}), Verdict::unknown); }

TEST(Table, MissingRepliesAloneAccuseNobody) {
  Facts f;
  f.steady = f.fresh = Tri::no;
  f.link = f.local = Tri::yes;
  EXPECT_EQ(decide(f), Verdict::unknown);
  f.tcp = Tri::yes;
  EXPECT_EQ(decide(f), Verdict::unknown);
  f.attributable = Tri::no;
  EXPECT_EQ(decide(f), Verdict::no_return);
}

}  // namespace
}  // namespace ue::verdict
