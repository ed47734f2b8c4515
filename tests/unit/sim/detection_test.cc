// How long each fault takes to be told, over many gateways: the distribution is printed, the goals are
// asserted.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "scenario.h"

namespace ue::sim {
namespace {

/// Delays of one fault, in seconds.
class Delays {
 public:
  void add(Nanos delay) { seconds_.push_back(to_seconds(delay)); }
  double at(double share) {
    std::sort(seconds_.begin(), seconds_.end());
    const auto n = static_cast<double>(seconds_.size());
    return seconds_[std::min(seconds_.size() - 1, static_cast<std::size_t>(share * n))];
  }
  /// Prints the distribution; the goals are about the 99th percentile. Where a sanitizer leaves fewer than
  /// sixty gateways there is none.
  void tell(const std::string& what, double goal) {
    const auto p99 = at(.99);
    std::cout << fmt::format("{:<44} n {:>3}  p50 {:6.1f}  p99 {:6.1f}  max {:6.1f}  goal {} s\n", what,
                             seconds_.size(), at(.5), p99, at(1),
                             goal > 0 ? fmt::format("{:.0f}", goal) : "-");
    if (goal > 0 && seconds_.size() >= 60) {
      EXPECT_LE(p99, goal) << what;
    }
  }

 private:
  std::vector<double> seconds_;
};

struct Told {
  Delays return_lost;
  Delays one_way;
};

/// Replies end for good at the age `lifetime` (0: at once), for many gateways at three rates of loss.
Told one_way(Nanos lifetime, config::Profile p, Nanos patience, std::uint64_t gateways) {
  Told told;
  for (std::uint64_t seed = 1; seed <= seeds(gateways); ++seed) {
    VirtualPath path(profile(seed, p));
    path.checks_size = true;
    path.out.loss = path.back.loss = .025 * static_cast<double>(seed % 3);
    path.out.jitter = path.back.jitter = 20ms;
    const auto onset = 400s + from_seconds(300 * path.chance());
    std::optional<Nanos> first_lost;
    path.back.passes = [&, nat = absolute_lifetime(path, lifetime, onset)](const Packet& packet) {
      const bool passes = path.elapsed() < onset || nat(packet);
      if (!passes && !first_lost) first_lost = path.elapsed() - path.out.delay;
      return passes;
    };
    path.run_until(onset + lifetime + patience);
    const auto end = path.first(Verdict::one_way, onset);
    EXPECT_TRUE(first_lost && end) << seed << "\n" << path.story();
    if (!first_lost || !end) continue;
    told.return_lost.add(path.first(Verdict::return_lost, onset).value_or(*end) - *first_lost);
    told.one_way.add(*end - *first_lost);
  }
  return told;
}

class Detection : public testing::TestWithParam<int> {};

TEST_P(Detection, OfAOneWayUplinkIsInTime) {
  const auto lifetime = std::chrono::seconds(GetParam());
  auto told = one_way(lifetime, config::Profile::standard, 60s, 150);
  const double goal = GetParam() <= 4 ? 10 : GetParam() + 6;
  const auto what = fmt::format("replies end at the age of {} s: ", GetParam());
  told.return_lost.tell(what + "return_lost", 10);
  told.one_way.tell(what + "one_way", goal);
}
INSTANTIATE_TEST_SUITE_P(Age, Detection, testing::Values(0, 1, 2, 4, 8, 15, 30, 60, 120));

class MeteredDetection : public testing::TestWithParam<int> {};

TEST_P(MeteredDetection, IsWithinNinetySeconds) {
  auto told = one_way(std::chrono::seconds(GetParam()), config::Profile::metered, 300s, 90);
  const auto what = fmt::format("metered, at the age of {} s: ", GetParam());
  told.return_lost.tell(what + "return_lost", 90);
  told.one_way.tell(what + "one_way", 90);
}
INSTANTIATE_TEST_SUITE_P(Age, MeteredDetection, testing::Values(0, 4));

struct Fault {
  const char* name;
  Verdict verdict;
  void (*begin)(VirtualPath&);
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

class OtherDetection : public testing::TestWithParam<Fault> {};

TEST_P(OtherDetection, IsTold) {
  Delays delays;
  for (std::uint64_t seed = 1; seed <= seeds(60); ++seed) {
    VirtualPath path(profile(seed, config::Profile::standard));
    path.checks_size = true;
    path.out.loss = path.back.loss = .025 * static_cast<double>(seed % 3);
    const auto onset = 100s + from_seconds(100 * path.chance());
    path.run_until(onset);
    GetParam().begin(path);
    path.run_until(onset + 15min);
    const auto told = path.first(GetParam().verdict, onset);
    ASSERT_TRUE(told) << seed << "\n" << path.story();
    delays.add(*told - onset);
  }
  delays.tell(GetParam().name, 0);
}
INSTANTIATE_TEST_SUITE_P(
    Of, OtherDetection,
    testing::Values(Fault{"outage: down", Verdict::down, [](VirtualPath& p) { p.cut(true); }},
                    Fault{"UDP filtered on the way out: udp_blocked", Verdict::udp_blocked,
                          [](VirtualPath& p) { p.out.passes = nothing(); }},
                    Fault{"the steady port is poisoned: stuck_mapping", Verdict::stuck_mapping,
                          [](VirtualPath& p) { p.back.passes = without_flows_until_now(p); }},
                    Fault{"no new flow is answered: new_flows_blocked", Verdict::new_flows_blocked,
                          [](VirtualPath& p) { p.back.passes = only_flows_until_now(p); }},
                    Fault{"large packets vanish: mtu_blackhole", Verdict::mtu_blackhole,
                          [](VirtualPath& p) { p.out.largest = 1372; }}));

class ShortMapping : public testing::TestWithParam<int> {};

/// One ladder: the routine's interval with its jitter, and a pass up to the longest hold with the controls
/// around it. What speaks for a shorter lifetime must do so three times, or a NAT that was restarted would:
/// twice more up to the keepalive's hold.
constexpr Nanos kPass = 130s;
constexpr Nanos kInterval = 330s;
constexpr Nanos kTwiceMore = 2 * 44s;

TEST_P(ShortMapping, IsToldWithinOneLadderAndTwiceTheLifetime) {
  const auto lifetime = std::chrono::seconds(GetParam());
  Delays from_start;
  Delays changed;
  for (std::uint64_t seed = 1; seed <= seeds(200); ++seed) {
    for (const bool late : {false, true}) {
      TimedNat nat(late ? NatTimers{30s, 30s, 180s} : NatTimers{lifetime, lifetime, lifetime});
      VirtualPath path(profile(seed, config::Profile::standard));
      path.out.loss = path.back.loss = .01 * static_cast<double>(seed % 3);
      nat.stand_on(path);
      const auto onset = late ? 1h + from_seconds(600 * path.chance()) : Nanos(0s);
      path.at(onset, [&] { nat.timers = {lifetime, lifetime, lifetime}; });
      path.run_until(onset + 30min);
      const auto told = path.first(Verdict::short_mapping, onset);
      ASSERT_TRUE(told) << seed << "\n" << path.story();
      (late ? changed : from_start).add(*told - onset);
    }
  }
  const auto what = fmt::format("streams are forgotten after {} s: ", GetParam());
  const auto twice = to_seconds(2 * lifetime);
  const auto first = to_seconds(kPass + kTwiceMore) + twice;
  const auto later = to_seconds(kInterval + kPass + kTwiceMore) + twice;
  from_start.tell(what + "from the start", first);
  changed.tell(what + "from then on", later);
}
INSTANTIATE_TEST_SUITE_P(Lifetime, ShortMapping, testing::Values(5, 12, 25));

}  // namespace
}  // namespace ue::sim
