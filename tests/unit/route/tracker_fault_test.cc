#include "route/tracker_fault.h"

#include <gmock/gmock.h>

namespace ue::route {
namespace {

using namespace std::chrono_literals;

ConntrackTable roomy() {
  ConntrackTable table;
  table.entries = 10;
  table.limit = 100;
  table.udp_timeout = 30;
  table.udp_stream_timeout = 120;
  table.drops = 5;
  table.early_drops = 7;
  return table;
}

TEST(TrackerFault, ARoomyTableWithUsualTimeoutsIsNone) {
  EXPECT_TRUE(tracker_faults(roomy(), roomy(), 30s).empty());
  EXPECT_TRUE(tracker_faults(std::nullopt, roomy(), 30s).empty())
      << "drops of long ago are nobody's fault now";
}

TEST(TrackerFault, AFullTableNamesTheSetting) {
  auto now = roomy();
  now.entries = 100;
  ASSERT_EQ(tracker_faults(std::nullopt, now, 30s).size(), 1U);
  EXPECT_EQ(tracker_faults(std::nullopt, now, 30s)[0].check, "conntrack_room");
  EXPECT_THAT(tracker_faults(std::nullopt, now, 30s)[0].sentence, testing::HasSubstr("nf_conntrack_max=200"));
  auto shedding = roomy();
  shedding.early_drops = 8;
  EXPECT_EQ(tracker_faults(roomy(), shedding, 30s).size(), 1U) << "it makes room by throwing flows out";
}

TEST(TrackerFault, AStreamForgottenBeforeTheKeepaliveIsOurs) {
  auto now = roomy();
  now.udp_stream_timeout = 10;
  ASSERT_EQ(tracker_faults(roomy(), now, 10s).size(), 1U);
  EXPECT_THAT(tracker_faults(roomy(), now, 10s)[0].sentence, testing::HasSubstr("udp_timeout_stream=120"));
  EXPECT_TRUE(tracker_faults(roomy(), now, 9s).empty());
}

}  // namespace
}  // namespace ue::route
