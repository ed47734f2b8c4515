#include "openvpn/session_tracker.h"

#include <gtest/gtest.h>

#include "support.h"

namespace ue::openvpn {
namespace {

using std::chrono::seconds;
using testing_support::Told;

constexpr const char* kAttempt =
    "TCP/UDP: Preserving recently used remote address: [AF_INET]10.0.0.1:1194\n"
    "UDPv4 link remote: [AF_INET]10.0.0.1:1194";
constexpr const char* kHandshake =
    "TLS: Initial packet from [AF_INET]10.0.0.1:1194, sid=1 2\n"
    "VERIFY OK: depth=0, CN=s\n"
    "[s] Peer Connection Initiated with [AF_INET]10.0.0.1:1194";
constexpr const char* kCompleted = "Initialization Sequence Completed";
constexpr const char* kPingRestart = "SIGUSR1[soft,ping-restart] received, process restarting";
constexpr const char* kTlsError = "SIGUSR1[soft,tls-error] received, process restarting";

TEST(ClientTunnel, PassesThroughItsStates) {
  Told told;
  EXPECT_EQ(told.state().state, State::unknown);
  EXPECT_EQ(told("OpenVPN 2.6.22 x").state().state, State::connecting);
  EXPECT_EQ(told(kAttempt).state().state, State::wait);
  EXPECT_EQ(told("TLS: Initial packet from [AF_INET]10.0.0.1:1194, sid=1 2").state().state, State::auth);
  EXPECT_EQ(told(kHandshake).state().state, State::auth);
  EXPECT_EQ(told(kCompleted).state().state, State::connected);
  EXPECT_EQ(told(kPingRestart).state().state, State::reconnecting);
  EXPECT_EQ(told(kAttempt)(kHandshake)(kCompleted).state().state, State::connected);
  EXPECT_EQ(told("SIGTERM received, sending exit notification to peer").state().state, State::exiting);
  EXPECT_EQ(told("SIGTERM[soft,exit-with-notification] received, process exiting").state().state,
            State::exiting);
  EXPECT_EQ(told("OpenVPN 2.6.22 x").state().state, State::connecting);
  EXPECT_EQ(told.state().session_durations.count(), 2u);
}

TEST(ClientTunnel, KnowsItsDeviceFromTheLog) {
  Told told;
  EXPECT_EQ(told.tracker.device(), "");
  told("OpenVPN 2.6.22 x")(kAttempt)(kHandshake)("TUN/TAP device tun0 opened")(kCompleted);
  EXPECT_EQ(told.tracker.device(), "tun0");
  told(kPingRestart)(kAttempt)(kHandshake)("Preserving previous TUN/TAP instance: tun0")(kCompleted);
  EXPECT_EQ(told.tracker.device(), "tun0");
  told("client-one/10.0.0.2:4000 TUN/TAP device tun9 opened");
  EXPECT_EQ(told.tracker.device(), "tun0") << "that is a client's text";
}

TEST(ClientTunnel, CountsReconnectsByReasonAndStateLeft) {
  Told told;
  told("OpenVPN 2.6.22 x")(kAttempt)(kHandshake)(kCompleted)(kPingRestart);  // the data channel is silent
  told(kAttempt)(kTlsError);                                                 // nothing came back
  told(kAttempt)("TLS: Initial packet from [AF_INET]10.0.0.1:1194, sid=1 2")(kTlsError);  // some came back
  told("SIGUSR1[connection failed(soft),init_instance] received, process restarting");
  EXPECT_EQ(told.state().reconnect_count(Reason::ping_restart, From::connected), 1u);
  EXPECT_EQ(told.state().reconnect_count(Reason::tls_error, From::wait), 1u);
  EXPECT_EQ(told.state().reconnect_count(Reason::tls_error, From::auth), 1u);
  EXPECT_EQ(told.state().reconnect_count(Reason::other, From::other), 1u);
}

TEST(ClientTunnel, AtVerbosityOneTheHandshakeIsSeenInItsEnd) {
  Told told;
  told(kAttempt)("[s] Peer Connection Initiated with [AF_INET]10.0.0.1:1194");
  EXPECT_EQ(told.state().state, State::auth);
  EXPECT_EQ(told.state().handshakes_completed, 1u);
}

TEST(ClientTunnel, AReconnectThatManagementIsToldOfCountsOnce) {
  Told told;
  told(kAttempt)(kHandshake)(kCompleted)("MANAGEMENT: >STATE:1,CONNECTED,SUCCESS,10.88.0.2,10.0.0.1,1194,,");
  told(kPingRestart)("MANAGEMENT: >STATE:2,RECONNECTING,ping-restart,,,,,");
  EXPECT_EQ(told.state().reconnect_count(Reason::ping_restart, From::connected), 1u);
  told(kAttempt)("MANAGEMENT: >STATE:3,WAIT,,,,,,")("MANAGEMENT: >STATE:3,AUTH,,,,,,");
  EXPECT_EQ(told.state().state, State::auth);
  told("MANAGEMENT: >STATE:3,WAIT,,,,,,");  // late
  EXPECT_EQ(told.state().state, State::auth);
  told(kHandshake)(kCompleted)("MANAGEMENT: >STATE:3,GET_CONFIG,,,,,,");
  EXPECT_EQ(told.state().state, State::connected);
}

TEST(ClientTunnel, ASoftResetIsNoReconnect) {
  Told told;
  told(kAttempt)(kHandshake)(kCompleted);
  told(
      "TLS: soft reset sec=20/20 bytes=1032/-1 pkts=23/0\nVERIFY OK: depth=0, CN=s\nControl Channel: "
      "TLSv1.3, cipher x");
  EXPECT_EQ(told.state().state, State::connected);
  EXPECT_EQ(told.state().soft_resets, 1u);
  EXPECT_EQ(told.state().handshakes_started, 1u);
  EXPECT_EQ(told.state().reconnects, ReconnectCounts{});
}

TEST(ClientTunnel, EveryHandshakeEndsOneWay) {
  Told told;
  told(kAttempt)("TLS Error: TLS handshake failed")(kTlsError);  // one failure, not two
  EXPECT_EQ(told.state().handshakes_failed, 1u);
  told(kAttempt)("[UNDEF] Inactivity timeout (--ping-restart), restarting")(kPingRestart);  // 2.4's way
  EXPECT_EQ(told.state().handshakes_failed, 2u);
  told(kAttempt)(kAttempt);  // no word about the first
  EXPECT_EQ(told.state().handshakes_failed, 3u);
  told(kHandshake);
  told("TLS Error: TLS handshake failed");  // in a soft reset
  EXPECT_EQ(told.state().handshakes_completed, 1u);
  EXPECT_EQ(told.state().handshakes_failed, 4u);
  EXPECT_EQ(told.state().handshakes_started, 5u);
}

TEST(ClientTunnel, ASessionLastsAsLongAsTheLogSays) {
  Told told;
  told("2026-11-23 08:53:17 Initialization Sequence Completed").tick(seconds(1));
  told("2026-11-23 08:53:26 SIGUSR1[soft,ping-restart] received, process restarting");
  EXPECT_EQ(told.state().session_durations.count(), 1u);
  EXPECT_EQ(told.state().session_durations.sum, 9);
  EXPECT_EQ(told.state().session_durations.counts[1], 1u);  // (5 s, 10 s]
  EXPECT_EQ(told.state().last_connected, WallTime(seconds(1795423997)));
  EXPECT_EQ(told.state().last_disconnected, WallTime(seconds(1795424006)));
}

TEST(ClientTunnel, WithoutTimesInTheLogOurOwnClockCounts) {
  Told told;
  told(kCompleted).tick(seconds(8))(kPingRestart);
  EXPECT_EQ(told.state().session_durations.sum, 8);
  EXPECT_EQ(told.state().last_disconnected, told.now.wall);
  EXPECT_EQ(told.state().last_connected, told.now.wall - seconds(8));
}

TEST(ClientTunnel, AClockThatWasSetBackDoesNotSpoilADuration) {
  Told told;
  told("2026-11-23 08:53:17 Initialization Sequence Completed").tick(seconds(20));
  told("2026-11-23 07:53:37 SIGUSR1[soft,ping-restart] received, process restarting");
  EXPECT_EQ(told.state().session_durations.sum, 20);
}

TEST(ClientTunnel, AProcessThatVanishedLeavesNoDuration) {
  Told told;
  told(kAttempt)(kHandshake)(kCompleted).tick(seconds(100))("OpenVPN 2.6.22 x");
  EXPECT_EQ(told.state().session_durations.count(), 0u);
  EXPECT_EQ(told.state().reconnects, ReconnectCounts{});
  told(kPingRestart);
  EXPECT_EQ(told.state().session_durations.count(), 0u);
}

TEST(ClientTunnel, EachBoundHoldsItsOwnDuration) {
  SessionDurations durations;
  durations.add(seconds(5));
  durations.add(seconds(6));
  durations.add(std::chrono::hours(25));
  EXPECT_EQ(durations.counts.front(), 1u);
  EXPECT_EQ(durations.counts[1], 1u);
  EXPECT_EQ(durations.counts.back(), 1u);
  EXPECT_EQ(durations.count(), 3u);
}

TEST(ClientTunnel, WhatIsReplayedTeachesAndDoesNotCount) {
  Told told;
  told.replayed = true;
  told("OpenVPN 2.6.22 x")(kAttempt)(kHandshake)("Timers: ping 2, ping-restart 8");
  told("2026-11-23 08:53:17 Initialization Sequence Completed")("TLS: soft reset sec=1 bytes=0/0 pkts=0/0");
  told("2026-11-23 08:53:26 SIGUSR1[soft,ping-restart] received, process restarting")(kAttempt)(kHandshake);
  told("2026-11-23 08:53:28 Initialization Sequence Completed");
  const TunnelState& state = told.state();
  EXPECT_EQ(state.state, State::connected);
  EXPECT_EQ(state.last_connected, WallTime(seconds(1795424008)));
  EXPECT_EQ(state.keepalive_restart, seconds(8));
  EXPECT_EQ(state.reconnects, ReconnectCounts{});
  EXPECT_EQ(state.handshakes_started + state.handshakes_completed + state.handshakes_failed, 0u);
  EXPECT_EQ(state.sessions + state.soft_resets + state.session_durations.count(), 0u);

  told.replayed = false;  // the session began before our time and ends in it
  told("2026-11-23 08:53:37 SIGUSR1[soft,ping-restart] received, process restarting");
  EXPECT_EQ(state.reconnect_count(Reason::ping_restart, From::connected), 1u);
  EXPECT_EQ(state.session_durations.sum, 9);
}

TEST(ClientTunnel, AReplayWithoutTimesDoesNotInventAny) {
  Told told;
  told.replayed = true;
  told(kCompleted);
  EXPECT_FALSE(told.state().last_connected);
  told.replayed = false;
  told(kPingRestart);
  EXPECT_EQ(told.state().session_durations.count(), 0u);
}

TEST(ClientTunnel, AHandshakeThatBeganBeforeOurTimeIsCountedAtItsEnd) {
  Told told;
  told.replayed = true;
  told(kAttempt);
  told.replayed = false;
  told("TLS Error: TLS handshake failed");
  EXPECT_EQ(told.state().handshakes_started, 1u);
  EXPECT_EQ(told.state().handshakes_failed, 1u);
}

TEST(ClientTunnel, ALongSessionIsKnownByItsSoftResets) {
  Told renewing;
  renewing.replayed = true;
  EXPECT_EQ(renewing("TLS: soft reset sec=1 bytes=0/0 pkts=0/0").state().state, State::connected);
  Told renewed;
  renewed.replayed = true;
  EXPECT_EQ(renewed("VERIFY OK: depth=0, CN=s").state().state, State::connected);
  Told silent;
  silent("[s] Inactivity timeout (--ping-restart), restarting")(kPingRestart);
  EXPECT_EQ(silent.state().reconnect_count(Reason::ping_restart, From::connected), 1u);
}

TEST(ClientTunnel, AnotherServerIsAnEndpointChange) {
  Told told;
  told(kAttempt)(kPingRestart)(kAttempt);
  EXPECT_EQ(told.state().endpoint_changes, 0u);
  told("UDPv4 link remote: [AF_INET]10.0.0.2:1194");
  EXPECT_EQ(told.state().endpoint_changes, 1u);
}

TEST(ClientTunnel, LearnsTheKeepaliveInForce) {
  Told told;
  told("PUSH: Received control message: 'PUSH_REPLY,ping 10,ping-restart 60,push-continuation 2'");
  told("PUSH: Received control message: 'PUSH_REPLY,route 10.0.0.0 255.0.0.0,push-continuation 1'");
  EXPECT_EQ(told.state().keepalive_ping, seconds(10));
  EXPECT_EQ(told.state().keepalive_restart, seconds(60));
  told("Timers: ping 5");
  EXPECT_EQ(told.state().keepalive_ping, seconds(5));
  EXPECT_FALSE(told.state().keepalive_restart);
}

TEST(ClientTunnel, WhatTheServerSaysOfItsPingsHoldsUntilItsNextReply) {
  Told told;
  told(kAttempt);
  EXPECT_FALSE(told.state().push_told);
  told("PUSH: Received control message: 'PUSH_REPLY,ping 10,ping-restart 60,push-continuation 2'");
  told("PUSH: Received control message: 'PUSH_REPLY,route 10.0.0.0 255.0.0.0,push-continuation 1'");
  EXPECT_EQ(told.state().server_ping, seconds(10)) << "one reply in two parts";
  told(kPingRestart)(kAttempt);
  EXPECT_EQ(told.state().server_ping, seconds(10)) << "not known better yet";
  told("PUSH: Received control message: 'PUSH_REPLY,ping-restart 60'")("Timers: ping 5, ping-restart 60");
  EXPECT_TRUE(told.state().push_told);
  EXPECT_FALSE(told.state().server_ping) << "the client's own ping says nothing of the server";
  EXPECT_FALSE(told("OpenVPN 2.6.22 x").state().push_told);
}

TEST(ClientTunnel, IsNotTurnedIntoAServerByWhatItsServerSays) {
  Told told;
  told(kAttempt)(kHandshake)(kCompleted);
  told("PUSH: Received control message: 'x/1.2.3.4:5 [y] Peer Connection Initiated with z'");
  EXPECT_EQ(told.state().role, Role::client);
  EXPECT_EQ(told.state().handshakes_completed, 1u);
  EXPECT_EQ(told.tracker.clients().size(), 0u);
}

constexpr const char* kServerStart =
    "OpenVPN 2.6.22 x\nUDPv4 link remote: [AF_UNSPEC]\nMULTI: multi_init called, r=256 v=256\n"
    "Initialization Sequence Completed";

TEST(ServerTunnel, CountsArrivalsAndWhereTheyComeFrom) {
  Told told;
  told(kServerStart);
  EXPECT_EQ(told.state().role, Role::server);
  EXPECT_EQ(told.state().state, State::connected);
  EXPECT_EQ(told.state().sessions, 0u);
  told("1.2.3.4:1 [a] Peer Connection Initiated with [AF_INET]1.2.3.4:1");
  told("1.2.3.4:9 [b] Peer Connection Initiated with [AF_INET]1.2.3.4:9");
  EXPECT_EQ(told.state().reconnects, ReconnectCounts{});
  told("1.2.3.4:2 [a] Peer Connection Initiated with [AF_INET]1.2.3.4:2");
  told("1.2.3.4:2 [a] Peer Connection Initiated with [AF_INET]1.2.3.4:2");
  told("peer 0 (b) floated from 1.2.3.4:9 to [AF_INET]1.2.3.4:10");
  EXPECT_EQ(told.state().reconnect_count(Reason::new_session, From::other), 2u);
  EXPECT_EQ(told.state().endpoint_changes, 2u);
  EXPECT_EQ(told.tracker.clients().find("a")->arrivals, 3u);
  EXPECT_EQ(told.state().handshakes_started, 4u);
  EXPECT_EQ(told.state().handshakes_completed, 4u);
  EXPECT_EQ(told.state().last_connected, told.now.wall);
}

TEST(ServerTunnel, AClientsTroubleIsNotTheServers) {
  Told told;
  told(kServerStart);
  told("a/1.2.3.4:1 SIGUSR1[soft,ping-restart] received, client-instance restarting");
  told("a/1.2.3.4:1 SIGTERM[soft,remote-exit] received, client-instance exiting");
  told("1.2.3.4:7 TLS Error: TLS handshake failed");
  EXPECT_EQ(told.state().state, State::connected);
  EXPECT_EQ(told.state().handshakes_failed, 1u);
  EXPECT_EQ(told.state().handshakes_started, 1u);
  EXPECT_EQ(told.state().reconnects, ReconnectCounts{});
  told("SIGHUP[hard,] received, process restarting");
  EXPECT_EQ(told.state().state, State::reconnecting);
}

TEST(ServerTunnel, IsKnownByItsClientsLinesAlone) {
  Told told;
  told.replayed = true;
  told("a/1.2.3.4:1 VERIFY OK: depth=0, CN=a");
  EXPECT_EQ(told.state().role, Role::server);
  EXPECT_EQ(told.state().state, State::connected);
}

TEST(ServerTunnel, TakesHalfOfItsOwnTimerWhereThePushIsNotInTheLog) {
  Told told;
  told(kServerStart)("a/1.2.3.4:1 Timers: ping 2, ping-restart 16");
  EXPECT_EQ(told.state().keepalive_restart, seconds(8));
  told("a/1.2.3.4:1 SENT CONTROL [a]: 'PUSH_REPLY,ping 3,ping-restart 9' (status=1)");
  told("a/1.2.3.4:1 Timers: ping 2, ping-restart 16");
  EXPECT_EQ(told.state().keepalive_ping, seconds(3));
  EXPECT_EQ(told.state().keepalive_restart, seconds(9));
}

TEST(ClientArrivals, AreBounded) {
  ClientArrivals clients;
  for (std::size_t i = 0; i < kMaxClients + 10; ++i) clients.arrive("c" + std::to_string(i), "e");
  EXPECT_EQ(clients.size(), kMaxClients);
  EXPECT_EQ(clients.overflow(), 10u);
  EXPECT_TRUE(clients.arrive("c0", "f").endpoint_changed);
  EXPECT_FALSE(clients.arrive(std::string(kMaxName + 1, 'x'), "e").known);
}

}  // namespace
}  // namespace ue::openvpn
