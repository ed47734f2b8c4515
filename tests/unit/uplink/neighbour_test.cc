#include "uplink/neighbour.h"

#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace ue::uplink {
namespace {

NeighbourState read_state(std::uint16_t state) {
  ndmsg header{};
  header.ndm_state = state;
  const Request message(RTM_NEWNEIGH, 0, header);
  return read_neighbour_state(nlmsg_hdr(message.get()));
}

TEST(Neighbour, StatesOfTheKernel) {
  for (const int state : {NUD_REACHABLE, NUD_PERMANENT, NUD_NOARP}) {
    EXPECT_EQ(read_state(static_cast<std::uint16_t>(state)), NeighbourState::answers) << state;
  }
  for (const int state : {NUD_STALE, NUD_DELAY, NUD_PROBE, NUD_INCOMPLETE}) {
    EXPECT_EQ(read_state(static_cast<std::uint16_t>(state)), NeighbourState::unsure) << state;
  }
  EXPECT_EQ(read_state(NUD_FAILED), NeighbourState::silent);
  EXPECT_EQ(read_state(NUD_NONE), NeighbourState::absent);
}

TEST(Neighbour, WhileTheKernelIsUnsureTheAnswerBeforeStays) {
  EXPECT_EQ(reachable(NeighbourState::unsure, true), true);
  EXPECT_EQ(reachable(NeighbourState::unsure, false), false);
  EXPECT_EQ(reachable(NeighbourState::unsure, std::nullopt), std::nullopt);
  EXPECT_EQ(reachable(NeighbourState::absent, true), std::nullopt);
  EXPECT_EQ(reachable(NeighbourState::silent, true), false);
  EXPECT_EQ(reachable(NeighbourState::answers, false), true);
}

}  // namespace
}  // namespace ue::uplink
