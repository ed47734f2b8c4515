#include "route/flow_share.h"

#include <gtest/gtest.h>

namespace ue::route {
namespace {

using namespace std::chrono_literals;

std::map<std::string, UplinkFlows> counts(std::uint64_t answered, std::uint64_t unreplied) {
  UplinkFlows flows;
  flows.others.answered = answered;
  flows.others.unreplied = unreplied;
  flows.all.unreplied = 1000;  // our own probes
  return {{"mansion", flows}};
}

TEST(FlowShare, TellsOnlyOfTheLastTwoMinutes) {
  FlowShare share;
  EXPECT_TRUE(share.lately().empty());
  share.observe(counts(500, 10), Instant(1h));
  EXPECT_EQ(share.lately().at("mansion"), Bystanders{}) << "what was before the watch is not lately";
  share.observe(counts(500, 17), Instant(1h + 30s));
  EXPECT_EQ(share.lately().at("mansion"), (Bystanders{0, 7}));
  share.observe(counts(503, 17), Instant(1h + 100s));
  EXPECT_EQ(share.lately().at("mansion"), (Bystanders{3, 7}));
  share.observe(counts(503, 17), Instant(1h + 160s));
  EXPECT_EQ(share.lately().at("mansion"), (Bystanders{3, 0}));
  share.observe(counts(503, 17), Instant(1h + 400s));
  EXPECT_EQ(share.lately().at("mansion"), Bystanders{});
}

TEST(FlowShare, AnUplinkThatCameLaterBeginsAtNothing) {
  FlowShare share;
  share.observe({}, Instant(1h));
  share.observe(counts(2, 3), Instant(1h + 10s));
  EXPECT_EQ(share.lately().at("mansion"), (Bystanders{2, 3}));
}

}  // namespace
}  // namespace ue::route
