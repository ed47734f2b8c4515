// What a day costs, by profile: every packet of every pattern, both ways, with IP headers.
#include <fmt/format.h>

#include <iostream>

#include "config/config.h"
#include "scenario.h"

namespace ue::sim {
namespace {

constexpr double kMega = 1e6;

struct Case {
  const char* name;
  config::Profile profile;
  NatTimers nat;
  double loss;
  double megabytes;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Budget : public testing::TestWithParam<Case> {};

TEST_P(Budget, ADayStaysWithinIt) {
  const auto& c = GetParam();
  const auto config = config::default_probe(c.profile);
  VirtualPath::Options o{5, true};
  o.settings.interval = config.interval;
  o.settings.fresh_interval = config.fresh_interval;
  o.holds = config.holds;
  o.ladder_interval = config.ladder_interval;
  VirtualPath path(o);
  path.checks_size = path.writes_questions = true;
  path.out.loss = path.back.loss = c.loss;
  TimedNat nat(c.nat);
  nat.stand_on(path);
  path.run_until(24h);
  const auto& octets = path.octets();
  std::cout << fmt::format(
      "{:<28} {:5.2f} MB a day: probes {:.2f}, ladder {:.2f}, size {:.2f}, questions {:.2f}\n", c.name,
      static_cast<double>(octets.all()) / kMega, static_cast<double>(octets.probes) / kMega,
      static_cast<double>(octets.ladder) / kMega, static_cast<double>(octets.size) / kMega,
      static_cast<double>(octets.questions) / kMega);
  EXPECT_LT(static_cast<double>(octets.all()) / kMega, c.megabytes);
  EXPECT_GT(octets.probes, octets.all() / 4) << "something else than probing costs most";

  // New ports in any five minutes: a MAP-E subscriber may own 240.
  const auto& ports = path.ports();
  for (std::size_t first = 0, last = 0; last < ports.size(); ++last) {
    while (ports[last] - ports[first] > 5min) ++first;
    ASSERT_LE(last - first, 120U) << "at " << to_seconds(ports[last]);
  }
  EXPECT_LE(path.most_open(), 20U);
}
INSTANTIATE_TEST_SUITE_P(
    Profiles, Budget,
    testing::Values(Case{"default", config::Profile::standard, {30s, 30s, 120s}, 0, 40},
                    Case{"default, short timers", config::Profile::standard, {3s, 3s, 12s}, 0, 40},
                    Case{"default, 5 % lost each way", config::Profile::standard, {30s, 180s, 180s}, .05, 45},
                    Case{"default, 30 % lost each way", config::Profile::standard, {30s, 180s, 180s}, .3, 45},
                    Case{"metered", config::Profile::metered, {30s, 30s, 120s}, 0, 4},
                    Case{"metered, short timers", config::Profile::metered, {3s, 3s, 12s}, 0, 4}));

}  // namespace
}  // namespace ue::sim
