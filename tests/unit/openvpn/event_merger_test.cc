#include "openvpn/event_merger.h"

#include <gtest/gtest.h>

namespace ue::openvpn {
namespace {

using Kind = Event::Kind;

WallTime wall(int seconds) { return WallTime(std::chrono::seconds(1'800'000'000 + seconds)); }
Now read_at(int seconds) { return {Instant(std::chrono::seconds(seconds)), wall(seconds), {}}; }

Event told(Kind kind, int seconds, std::string_view peer = {}) {
  Event e;
  e.kind = kind;
  e.at = wall(seconds);
  e.peer = peer;
  e.of_client = !peer.empty();
  return e;
}

TEST(EventMerger, TheSameFromTwoSourcesIsNewOnce) {
  EventMerger m;
  EXPECT_TRUE(m.is_new(told(Kind::reconnecting, 10), Channel::management_log, false, read_at(10)));
  EXPECT_FALSE(m.is_new(told(Kind::reconnecting, 10), Channel::management_state, false, read_at(10)));
  EXPECT_FALSE(m.is_new(told(Kind::reconnecting, 11), Channel::log, false, read_at(12)));
}

TEST(EventMerger, TwoInOneSecondAreTwo) {
  EventMerger m;
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(m.is_new(told(Kind::reconnecting, 10), Channel::log, false, read_at(10)));
  for (int i = 0; i < 2; ++i)
    EXPECT_FALSE(m.is_new(told(Kind::reconnecting, 10), Channel::management_log, false, read_at(10)));
  EXPECT_TRUE(m.is_new(told(Kind::reconnecting, 10), Channel::management_log, false, read_at(10)));
}

TEST(EventMerger, LaterOrOfAnotherClientIsNew) {
  EventMerger m;
  EXPECT_TRUE(m.is_new(told(Kind::handshake_completed, 10, "a"), Channel::log, false, read_at(10)));
  EXPECT_TRUE(m.is_new(told(Kind::handshake_completed, 10, "b"), Channel::status, false, read_at(10)));
  EXPECT_TRUE(m.is_new(told(Kind::handshake_completed, 40, "a"), Channel::status, false, read_at(60)));
  // A status tells minutes later, and when the first packet came.
  EXPECT_FALSE(m.is_new(told(Kind::handshake_completed, 5, "a"), Channel::status, false, read_at(70)));
}

TEST(EventMerger, WithoutATimeTheMomentOfReadingDecides) {
  EventMerger m;
  Event undated = told(Kind::connected, 0);
  undated.at.reset();
  EXPECT_TRUE(m.is_new(told(Kind::connected, 10), Channel::management_state, false, read_at(10)));
  EXPECT_FALSE(m.is_new(undated, Channel::log, false, read_at(14)));
  EXPECT_TRUE(m.is_new(undated, Channel::log, false, read_at(30)));
}

TEST(EventMerger, HistoryThatIsToldAgainIsNotNewAndOldHistoryChangesNothing) {
  EventMerger m;
  EXPECT_TRUE(m.is_new(told(Kind::reconnecting, 10), Channel::management_state, false, read_at(10)));
  EXPECT_TRUE(m.is_new(told(Kind::connected, 12), Channel::management_state, false, read_at(12)));
  m.retell(Channel::management_state);
  EXPECT_FALSE(m.is_new(told(Kind::reconnecting, 10), Channel::management_state, true, read_at(99)));
  EXPECT_FALSE(m.is_new(told(Kind::state_reported, 11), Channel::management_state, true, read_at(99)));
  EXPECT_FALSE(m.is_new(told(Kind::connected, 12), Channel::management_state, true, read_at(99)));
  EXPECT_TRUE(m.is_new(told(Kind::reconnecting, 50), Channel::management_state, true, read_at(99)));
}

TEST(EventMerger, AFloodStaysBoundedAndLeavesTheRestAlone) {
  EventMerger m;
  EXPECT_TRUE(m.is_new(told(Kind::reconnecting, 10), Channel::log, false, read_at(10)));
  for (int i = 0; i < 30'000; ++i) {
    const std::string name = "n" + std::to_string(i % 15'000);
    m.is_new(told(Kind::handshake_completed, 10, name), Channel::log, false, read_at(10));
  }
  EXPECT_FALSE(m.is_new(told(Kind::reconnecting, 10), Channel::management_log, false, read_at(10)));
}

}  // namespace
}  // namespace ue::openvpn
