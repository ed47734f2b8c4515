#include "openvpn/server_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ue::openvpn {
namespace {

using Kind = Event::Kind;
using testing::HasSubstr;

WallTime moment(double s) { return WallTime(std::chrono::seconds(1'800'000'000)) + from_seconds(s); }

struct Server {
  ServerHistory history;
  TunnelState state;
  std::map<std::string, int> ports;

  Server() {
    state.role = Role::server;
    state.state = State::connected;
    state.keepalive_restart = std::chrono::seconds(60);
  }
  Server& tell(Kind kind, double at, std::string_view name = {}, std::string_view endpoint = {}) {
    Event e;
    e.kind = kind;
    e.at = moment(at);
    e.peer = name;
    e.of_client = !name.empty();
    e.endpoint = endpoint;
    history.apply(e, moment(at));
    return *this;
  }
  Server& arrive(double at, const std::string& address, const std::string& name = "a") {
    return tell(Kind::handshake_completed, at, name,
                address + ":" + std::to_string(40'000 + ++ports[address]));
  }
  Diagnosis at(double s) const { return history.diagnose(state, moment(s)).diagnosis; }
};

TEST(ServerHistory, NewPortsOfOneAddressAtEvenDistancesAreAOneWayLoopWhileItLasts) {
  Server s;
  s.arrive(0, "192.0.2.1").arrive(5000, "192.0.2.1").arrive(5066, "192.0.2.1");
  EXPECT_EQ(s.at(5070), Diagnosis::unknown) << "twice could be anything";
  s.arrive(5131, "192.0.2.1");
  EXPECT_EQ(s.at(5140), Diagnosis::one_way_loop);
  EXPECT_THAT(s.history.diagnose(s.state, moment(5140)).why, HasSubstr("a returned 3 times"));
  EXPECT_EQ(s.at(5131 + 400), Diagnosis::healthy) << "it stays now";
  EXPECT_EQ(s.history.of_client("a", s.state).diagnosis, Diagnosis::one_way_loop)
      << "a log is judged to its end";
}

TEST(ServerHistory, AddressesThatTakeTurnsShareOneCertificate) {
  Server s;
  for (int i = 0; i < 5; ++i) s.arrive(i * 62, i % 2 == 0 ? "192.0.2.1" : "198.51.100.7");
  EXPECT_EQ(s.at(250), Diagnosis::shared_common_name);
}

TEST(ServerHistory, WhatOnlyLooksLikeALoop) {
  Server roaming;  // one client that moves on, and never back
  for (int i = 0; i < 6; ++i) roaming.arrive(i * 62, "192.0.2." + std::to_string(i));
  EXPECT_EQ(roaming.at(320), Diagnosis::unknown);
  Server asleep;  // falls silent each time before it returns
  for (int i = 0; i < 6; ++i) asleep.arrive(i * 300, "192.0.2.1").tell(Kind::peer_silent, i * 300 + 250, "a");
  EXPECT_EQ(asleep.at(1510), Diagnosis::healthy);
  Server leaving;  // says goodbye each time
  for (int i = 0; i < 6; ++i)
    leaving.arrive(i * 300, "192.0.2.1").tell(Kind::peer_leaving, i * 300 + 250, "a");
  EXPECT_EQ(leaving.at(1510), Diagnosis::healthy);
  Server hasty;  // returns long before its keepalive could have thrown it out
  for (int i = 0; i < 6; ++i) hasty.arrive(i * 10, "192.0.2.1");
  EXPECT_EQ(hasty.at(60), Diagnosis::unknown);
  Server uneven;
  double t = 0;
  for (const int gap : {0, 70, 400, 90, 1200, 65}) uneven.arrive(t += gap, "192.0.2.1");
  EXPECT_EQ(uneven.at(t + 5), Diagnosis::unknown);
}

TEST(ServerHistory, IsHealthyAsSoonAsSomebodyStays) {
  Server s;
  s.arrive(0, "192.0.2.1");
  EXPECT_EQ(s.at(1), Diagnosis::healthy);
  s.arrive(100, "192.0.2.1");
  EXPECT_EQ(s.at(200), Diagnosis::unknown) << "it may be about to return again";
  s.arrive(210, "192.0.2.9", "b");
  EXPECT_EQ(s.at(211), Diagnosis::healthy) << "of many clients some have always just returned";
  Server alone;
  alone.arrive(0, "192.0.2.1").arrive(3000, "192.0.2.1");
  EXPECT_EQ(alone.at(3000 + 121), Diagnosis::unknown);
  EXPECT_EQ(alone.at(3000 + 124), Diagnosis::healthy) << "twice the limit is long enough";
}

TEST(ServerHistory, SessionsThatPileUpUnderDuplicateCnHideNoLoop) {
  Server s;
  // Each session falls silent at twice the limit, when two newer ones are there.
  for (int i = 0; i < 5; ++i) {
    s.arrive(i * 66, "192.0.2.1");
    if (i >= 2) s.tell(Kind::peer_silent, i * 66 + 1, "a", "192.0.2.1:" + std::to_string(40'001 + i - 2));
  }
  EXPECT_EQ(s.at(270), Diagnosis::one_way_loop);
  s.tell(Kind::peer_silent, 400, "a", "192.0.2.1:40005");
  EXPECT_EQ(s.at(401), Diagnosis::healthy) << "the newest itself went silent: it is asleep";
}

TEST(ServerHistory, WhereNoPingIsPushedReturnsAreAMismatch) {
  Server s;
  s.state.push_told = true;
  for (int i = 0; i < 5; ++i) s.arrive(i * 62, "192.0.2.1");
  EXPECT_EQ(s.at(250), Diagnosis::keepalive_mismatch);
  EXPECT_EQ(s.history.of_client("a", s.state).diagnosis, Diagnosis::keepalive_mismatch);
  s.state.server_ping = std::chrono::seconds(10);
  EXPECT_EQ(s.at(250), Diagnosis::one_way_loop);
}

TEST(ServerHistory, ARestartOfItsOwnExplainsWhatReturns) {
  Server s;
  for (int i = 0; i < 3; ++i) s.arrive(i * 3000, "192.0.2.1");
  s.tell(Kind::process_started, 6100).arrive(6130, "192.0.2.1");
  EXPECT_EQ(s.at(6135), Diagnosis::server_restart);
  EXPECT_EQ(s.at(6135 + 400), Diagnosis::healthy);
}

TEST(ServerHistory, RefusedCredentialsAreNoLoop) {
  Server s;
  for (int i = 0; i < 5; ++i) s.arrive(i * 62, "192.0.2.1").tell(Kind::auth_failed, i * 62, "a");
  EXPECT_EQ(s.at(250), Diagnosis::auth_failure);
  EXPECT_EQ(s.at(2000), Diagnosis::healthy);
}

TEST(ServerHistory, NobodyIsNoProofOfHealth) {
  Server s;
  EXPECT_EQ(s.at(1000), Diagnosis::unknown);
  s.state.state = State::exiting;
  EXPECT_EQ(s.at(1000), Diagnosis::disconnected);
}

TEST(ServerHistory, AClockThatIsSetBackBreaksNoPattern) {
  Server s;
  s.arrive(5000, "192.0.2.1").arrive(5066, "192.0.2.1").arrive(10, "192.0.2.1").arrive(76, "192.0.2.1");
  EXPECT_EQ(s.at(80), Diagnosis::unknown);
  s.arrive(141, "192.0.2.1").arrive(207, "192.0.2.1");
  EXPECT_EQ(s.at(210), Diagnosis::one_way_loop);
}

}  // namespace
}  // namespace ue::openvpn
