// A fault that was called stays called for as long as it lasts, whatever the line loses beside it.
#include "scenario.h"

namespace ue::sim {
namespace {

struct LastingFault {
  const char* name;
  Verdict verdict;
  void (*begin)(VirtualPath& path, TimedNat& nat);
};

const LastingFault kLastingFaults[] = {
    {"nothing_returns", Verdict::one_way, [](VirtualPath& p, TimedNat&) { p.back.passes = nothing(); }},
    {"four_seconds", Verdict::one_way,
     [](VirtualPath& p, TimedNat&) { p.back.passes = absolute_lifetime(p, 4s, p.elapsed()); }},
    {"told_through_another_uplink", Verdict::one_way,
     [](VirtualPath& p, TimedNat&) {
       p.back.passes = nothing();
       p.tcp = {.own = false, .other = true};
     }},
    {"blocked", Verdict::udp_blocked, [](VirtualPath& p, TimedNat&) { p.out.passes = nothing(); }},
    {"outage", Verdict::down, [](VirtualPath& p, TimedNat&) { p.cut(true); }},
    {"no_new_flows", Verdict::new_flows_blocked,
     [](VirtualPath& p, TimedNat&) { p.back.passes = only_flows_until_now(p); }},
    {"large_packets_vanish", Verdict::mtu_blackhole, [](VirtualPath& p, TimedNat&) { p.out.largest = 1400; }},
    {"twenty_seconds", Verdict::short_mapping, [](VirtualPath& p, TimedNat& nat) { nat.stand_on(p); }},
};

class Standing : public testing::TestWithParam<std::tuple<LastingFault, double>> {};

TEST_P(Standing, NothingElseIsSaidForSixHours) {
  const auto& [fault, loss] = GetParam();
  for (std::uint64_t seed = 0; seed < seeds(6); ++seed) {
    VirtualPath::Options o{88000 + seed, false, {}, {}};
    o.holds = {1s, 2s, 5s, 10s, 20s, 30s, 60s, 120s};
    VirtualPath path(o);
    TimedNat nat({30s, 30s, 20s});
    path.checks_size = true;
    path.out.loss = path.back.loss = loss;
    path.at(900s, [&, begin = fault.begin] { begin(path, nat); });
    path.run_until(900s + 6h);
    const auto called = path.first(fault.verdict, 900s);
    // How long a mapping lives is beyond reach where half of all questions get no answer.
    if (!called && fault.verdict == Verdict::short_mapping && loss >= .2) continue;
    ASSERT_TRUE(called) << "seed " << seed << "\n" << path.story();
    EXPECT_EQ(path.changes().back().at, *called) << "seed " << seed << "\n" << path.story();
  }
}
INSTANTIATE_TEST_SUITE_P(Faults, Standing,
                         testing::Combine(testing::ValuesIn(kLastingFaults),
                                          testing::Values(0, .05, .1, .2, .3)));

}  // namespace
}  // namespace ue::sim
