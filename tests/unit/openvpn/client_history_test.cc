// What a client's history amounts to, with times that the test gives. The recordings and the lab have the
// rest.
#include "openvpn/client_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "openvpn/session_tracker.h"

namespace ue::openvpn {
namespace {

using testing::HasSubstr;
using Kind = Event::Kind;

constexpr double kRestart = 60;

struct Client {
  SessionTracker tracker;
  ClientHistory history;
  TrafficMeter meter;
  double time = 0;
  std::uint64_t in = 0;
  std::uint64_t out = 0;

  explicit Client(bool timers_told = true) {
    if (!timers_told) return;  // --verb 1
    Event timers;
    timers.kind = Kind::keepalive_effective;
    timers.ping = 10;
    timers.restart = static_cast<std::uint32_t>(kRestart);
    give(timers);
  }
  Now now() const {
    return {
        Instant(from_seconds(time)), WallTime(std::chrono::seconds(1'800'000'000)) + from_seconds(time), {}};
  }
  Client& give(Event e) {
    e.at = now().wall;
    history.apply(e, tracker.state(), now().wall);
    tracker.apply(e, now());
    return *this;
  }
  Client& tell(Kind kind, std::string_view peer = {}, Reason reason = Reason::other) {
    Event e;
    e.kind = kind;
    e.peer = peer;
    e.reason = reason;
    e.endpoint = kind == Kind::handshake_started ? "203.0.113.1:1194" : "";
    return give(e);
  }
  Client& connect() {
    return tell(Kind::handshake_started).tell(Kind::handshake_completed).tell(Kind::connected);
  }
  Client& wait(double seconds) {
    time += seconds;
    return *this;
  }
  /// Counters once a second for so long.
  Client& run(double seconds, bool hears) {
    for (int i = 0; i < static_cast<int>(seconds); ++i) {
      time += 1;
      out += 40;
      in += hears ? 40 : 0;
      meter.observe(in, out, now());
    }
    return *this;
  }
  Client& push(std::optional<std::uint32_t> ping) {
    Event e;
    e.kind = Kind::keepalive_pushed;
    e.ping = ping;
    return give(e);
  }
  Client& fail(int code) {
    Event e;
    e.kind = Kind::transport_error;
    e.code = code;
    return give(e);
  }
  Client& fall_silent() {
    return tell(Kind::peer_silent, "server").tell(Kind::reconnecting, {}, Reason::ping_restart).wait(1);
  }
  Finding found() {
    if (const auto silence = meter.silence(now().mono))
      history.observe(tracker.state(), *silence, now().wall);
    return history.diagnose(tracker.state(), now().wall);
  }
};

TEST(ClientHistory, LifetimesOfTwiceTheLimitMayBeTwoClientsWithOneName) {
  Client c;
  c.connect().wait(3000).fall_silent();
  for (int i = 0; i < 3; ++i) c.connect().wait(2 * kRestart + 2).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::unknown);
  EXPECT_THAT(c.found().why, HasSubstr("two clients with one certificate"));
  Client carrier;  // the same with a NAT of 20 s
  carrier.connect().wait(3000).fall_silent();
  for (int i = 0; i < 3; ++i) carrier.connect().wait(kRestart + 20).fall_silent();
  EXPECT_EQ(carrier.found().diagnosis, Diagnosis::one_way_loop);
}

TEST(ClientHistory, SilenceInTheCountersIsToldAfterThreePingsAndIsALoopAtTheSecondTime) {
  Client c;
  c.connect().run(700, true);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::healthy);
  c.run(20, false);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::healthy) << "two pings may be lost";
  c.run(10, false);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::no_return);
  EXPECT_THAT(c.found().why, HasSubstr("nothing came in for 30s"));
  c.run(30, false).fall_silent().connect().run(1, true).run(30, false);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::one_way_loop);
  c.run(30, false).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::one_way_loop) << "it stays between two sessions";
  c.connect().run(50, true);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::one_way_loop) << "and until one outlives those before";
  c.run(700, true);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::healthy);
}

TEST(ClientHistory, CountersThatStandStillOnBothSidesProveNothing) {
  Client c;
  c.connect().run(700, true).wait(120);
  c.meter.observe(c.in, c.out, c.now());
  EXPECT_NE(c.found().diagnosis, Diagnosis::no_return) << "a daemon that sends nothing hears nothing";
}

TEST(ClientHistory, AFullBlockIsToldHoweverSlowTheAttemptsBecome) {
  Client c;
  c.connect().wait(3000).fall_silent();
  for (int i = 0; i < 4; ++i) {
    c.tell(Kind::handshake_started).wait(60).tell(Kind::handshake_failed);
    c.tell(Kind::reconnecting, {}, Reason::tls_error).wait(300);
  }
  EXPECT_EQ(c.found().diagnosis, Diagnosis::no_return);
  EXPECT_EQ(c.tracker.state().last_connected, WallTime(std::chrono::seconds(1'800'000'000)));
}

TEST(ClientHistory, RefusedCredentialsAreToldAlsoAfterTheProcessHasLeft) {
  Client c;
  c.tell(Kind::handshake_started).tell(Kind::handshake_completed).tell(Kind::auth_failed);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::auth_failure);
  c.tell(Kind::exiting, {}, Reason::auth_failure);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::auth_failure);
  EXPECT_THAT(c.found().why, HasSubstr("has left"));
}

TEST(ClientHistory, ASignalOrASleepOrAClockThatJumpsIsNoLoop) {
  Client signalled;
  for (int i = 0; i < 4; ++i)
    signalled.connect().wait(90).tell(Kind::reconnecting, {}, Reason::signal).wait(1);
  signalled.connect().wait(5);
  EXPECT_EQ(signalled.found().diagnosis, Diagnosis::unknown);
  EXPECT_THAT(signalled.found().why, HasSubstr("signal"));
  Client asleep;
  for (const double lifetime : {4000.0, 300.0, 30'000.0, 900.0})
    asleep.connect().wait(lifetime).fall_silent();
  EXPECT_EQ(asleep.found().diagnosis, Diagnosis::unknown);
  Client jumping;
  for (const double jump : {-7200.0, 86'400.0, -40.0}) jumping.connect().wait(jump).fall_silent();
  EXPECT_EQ(jumping.found().diagnosis, Diagnosis::unknown);
}

TEST(ClientHistory, AServerThatNeverSaidThatItPingsIsAMismatch) {
  Client c;  // its own ping is set, the server's is not
  for (int i = 0; i < 4; ++i) c.connect().push({}).wait(kRestart).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::keepalive_mismatch);
  c.connect().push(10).wait(kRestart).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::one_way_loop) << "now it has said so";
  Client counted;
  counted.connect().push({}).run(kRestart, false);
  EXPECT_EQ(counted.found().diagnosis, Diagnosis::unknown) << "nothing has to come in";
}

TEST(ClientHistory, PingsThatAreRarerThanTheLimitAreAMismatchAtOnce) {
  Client c;
  c.connect().push(90).wait(kRestart).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::keepalive_mismatch);
  EXPECT_THAT(c.found().why, HasSubstr("1m30s"));
}

TEST(ClientHistory, CountersOfTwoClientsWithOneNameAreNoLoop) {
  Client c;
  c.connect().run(3000, true);
  for (int i = 0; i < 3; ++i) {
    c.run(30, false);
    EXPECT_NE(c.found().diagnosis, Diagnosis::one_way_loop);
    c.run(30, false).fall_silent();
    // The other one is thrown out now, and back when its own limit has passed.
    c.connect().run(kRestart + 2, true).run(30, false);
    EXPECT_EQ(c.found().diagnosis, Diagnosis::unknown);
    EXPECT_THAT(c.found().why, HasSubstr("two clients with one certificate"));
  }
  Client carrier;  // the same with a NAT of 20 s
  carrier.connect().run(3000, true).run(kRestart, false).fall_silent().connect().run(20, true).run(30, false);
  EXPECT_EQ(carrier.found().diagnosis, Diagnosis::one_way_loop);
}

TEST(ClientHistory, InALoopASessionThatLastsAPingLongerIsNoProof) {
  Client c;
  c.connect().wait(3000).fall_silent();
  for (const int lifetime : {64, 71, 64}) c.connect().wait(lifetime).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::one_way_loop);
  c.connect().wait(75);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::one_way_loop);
  c.wait(3);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::healthy);
}

TEST(ClientHistory, AtVerbosityOneALoopIsToldByItsLifetimesAlone) {
  Client c(false);
  c.connect().wait(3000).fall_silent();
  for (int i = 0; i < 2; ++i) c.connect().wait(64).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::unknown) << "twice alike is not enough then";
  c.connect().wait(65).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::one_way_loop);
  EXPECT_THAT(c.found().why, HasSubstr("--verb 3"));
  c.connect().wait(599);
  EXPECT_NE(c.found().diagnosis, Diagnosis::healthy);
  c.wait(10);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::healthy);
}

TEST(ClientHistory, AProcessThatLeavesWhenItHearsNothingAndIsStartedAgainIsALoopToo) {
  Client c;
  for (int i = 0; i < 3; ++i) {
    c.connect().wait(64).tell(Kind::peer_silent, "server").tell(Kind::exiting).wait(1);
    if (i < 2) c.tell(Kind::process_started);
  }
  EXPECT_EQ(c.found().diagnosis, Diagnosis::one_way_loop) << "also while it is away";
  c.tell(Kind::process_started);
  EXPECT_EQ(c.tracker.state().state, State::connecting);
  // Somebody stops it: what was before is over.
  c.tell(Kind::exiting, {}, Reason::signal);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::disconnected);
  c.tell(Kind::process_started).connect();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::unknown);
}

TEST(ClientHistory, AStrayPacketFromElsewhereMakesNoWrongReplySource) {
  Client c;
  c.connect().run(700, true).tell(Kind::wrong_reply_source);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::healthy);
  c.run(30, false);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::wrong_reply_source) << "nothing else comes in";
  c.run(30, false).fall_silent().tell(Kind::handshake_started);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::wrong_reply_source);
  c.connect().run(700, true);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::healthy);
}

TEST(ClientHistory, PacketsThatDoNotLeaveThisHostAreNoFaultOfTheCarriers) {
  for (const auto& [code, words] :
       {std::pair{1, "firewall"}, std::pair{101, "no route"}, std::pair{113, "no route"}}) {
    Client c;
    c.connect().wait(3000).fail(code).fall_silent();
    for (int i = 0; i < 3; ++i) {
      c.tell(Kind::handshake_started).fail(code).wait(60).tell(Kind::handshake_failed);
      c.tell(Kind::reconnecting, {}, Reason::tls_error);
    }
    EXPECT_EQ(c.found().diagnosis, Diagnosis::disconnected) << code;
    EXPECT_THAT(c.found().why, HasSubstr(words));
  }
}

TEST(ClientHistory, ADeviceThatWakesAtEvenTimesIsNoLoop) {
  Client c;
  for (int i = 0; i < 5; ++i) c.connect().wait(1800).fall_silent();
  EXPECT_EQ(c.found().diagnosis, Diagnosis::unknown);
}

TEST(ClientHistory, HandshakesThatBeginToBeAnsweredAreNoFullBlock) {
  Client c;
  for (int i = 0; i < 3; ++i)
    c.tell(Kind::handshake_started)
        .tell(Kind::answered)
        .wait(60)
        .tell(Kind::reconnecting, {}, Reason::tls_error);
  EXPECT_EQ(c.found().diagnosis, Diagnosis::unknown);
  EXPECT_THAT(c.found().why, HasSubstr("too large for the path"));
}

TEST(TrafficMeter, TotalsSurviveCountersThatBeginAnew) {
  TrafficMeter m;
  EXPECT_TRUE(m.empty());
  EXPECT_FALSE(m.silence({}));
  const auto at = [](int s) {
    return Now{Instant(std::chrono::seconds(s)), WallTime(std::chrono::seconds(s)), {}};
  };
  m.observe(1000, 500, at(1));
  EXPECT_FALSE(m.last_received());
  m.observe(1100, 600, at(2));
  m.observe(50, 20, at(3));
  m.observe(50, 40, at(9));
  EXPECT_EQ(m.received(), 150u);
  EXPECT_EQ(m.sent(), 140u);
  EXPECT_EQ(m.last_received(), WallTime(std::chrono::seconds(3)));
  EXPECT_EQ(m.silence(Instant(std::chrono::seconds(10)))->lasted, std::chrono::seconds(7));
  EXPECT_EQ(m.silence(Instant(std::chrono::seconds(10)))->sends, 1u);
}

}  // namespace
}  // namespace ue::openvpn
