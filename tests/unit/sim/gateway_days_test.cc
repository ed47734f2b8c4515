// Many gateways, a day each: not one verdict that the day does not justify.
#include <cstdlib>
#include <iostream>

#include "scenario.h"
#include "sim/gateway_day.h"

namespace ue::sim {
namespace {

constexpr int kShares = 10;  // of the days, so that they are played on every core

/// UPLINK_SIM_DAYS (tests/bench/gateway_days.py sets 1,000), or 50.
std::uint64_t days() {
  const char* text = std::getenv("UPLINK_SIM_DAYS");
  return std::max<std::uint64_t>(seeds(text != nullptr ? std::strtoull(text, nullptr, 10) : 50) / kShares, 1);
}

class GatewayDays : public testing::TestWithParam<int> {};

TEST_P(GatewayDays, NoVerdictIsWrong) {
  std::uint64_t events = 0;
  std::size_t outages = 0;
  for (std::uint64_t day = 0; day < days(); ++day) {
    const auto seed = static_cast<std::uint64_t>(GetParam()) + kShares * day;
    GatewayDay gateway(seed, 24h);
    gateway.play();
    EXPECT_THAT(gateway.wrong(), testing::IsEmpty()) << "seed " << seed << "\n" << gateway.story();
    EXPECT_LE(gateway.path().most_open(), 20U) << "seed " << seed;
    EXPECT_TRUE(gateway.path().counters_monotone());
    events += gateway.path().packet_events();
    outages += gateway.outages();
  }
  std::cout << days() << " gateway-days, " << events << " packet events, " << outages << " outages\n";
}
INSTANTIATE_TEST_SUITE_P(Share, GatewayDays, testing::Range(0, kShares));

}  // namespace
}  // namespace ue::sim
