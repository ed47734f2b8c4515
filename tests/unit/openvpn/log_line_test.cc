#include "openvpn/log_line.h"

#include <gtest/gtest.h>

#include <string>

namespace ue::openvpn {
namespace {

using Kind = Event::Kind;

std::optional<Event> parse(std::string_view line) { return parse_log_line(line, LogClock::assume_utc()); }

struct LineCase {
  const char* text;
  Kind kind;
  const char* peer = "";
  const char* endpoint = "";
};

class Messages : public testing::TestWithParam<LineCase> {};

TEST_P(Messages, AreRecognisedBehindEveryHead) {
  const LineCase& c = GetParam();
  for (const char* head :
       {"", "Mon Nov 23 08:55:38 2026 ", "2026-11-23 08:55:38 ", "2026-11-23 08:55:38 us=937218 ",
        "1795424138.054131 26000003 ",
        "Nov 23 08:55:38 gw ovpn-cloud[812]: ", "2026-11-23T08:55:38.054131+00:00 gw openvpn[812]: "}) {
    const std::string line = std::string(head) + c.text;  // the views of the event point into it
    const auto event = parse(line);
    ASSERT_TRUE(event) << line;
    EXPECT_EQ(event->kind, c.kind) << line;
    EXPECT_EQ(event->peer, c.peer) << line;
    EXPECT_EQ(event->endpoint, c.endpoint) << line;
    EXPECT_EQ(event->source, Source::log);
    EXPECT_FALSE(event->of_client) << line;
    EXPECT_FALSE(event->replayed);
  }
}

INSTANTIATE_TEST_SUITE_P(
    OfAClient, Messages,
    testing::Values(
        LineCase{"OpenVPN 2.6.22 x86_64-pc-linux-gnu [SSL (OpenSSL)] [EPOLL] [MH/PKTINFO] [AEAD]",
                 Kind::process_started},
        LineCase{"TCP/UDP: Preserving recently used remote address: [AF_INET]10.99.0.1:1194", Kind::attempt,
                 "", "10.99.0.1:1194"},
        LineCase{"TUN/TAP device tun0 opened", Kind::device_opened, "", "tun0"},
        LineCase{"DCO device ovpn0 opened", Kind::device_opened, "", "ovpn0"},
        LineCase{"Preserving previous TUN/TAP instance: tun7", Kind::device_opened, "", "tun7"},
        LineCase{"UDP link remote: [AF_INET]10.99.0.1:1194", Kind::handshake_started, "", "10.99.0.1:1194"},
        LineCase{"UDPv4 link remote: [AF_INET]10.99.0.1:1194", Kind::handshake_started, "", "10.99.0.1:1194"},
        LineCase{"UDPv6 link remote: [AF_INET6]fd99::1:1194", Kind::handshake_started, "", "fd99::1:1194"},
        LineCase{"TCPv4_CLIENT link remote: [AF_INET]10.99.0.1:443", Kind::handshake_started, "",
                 "10.99.0.1:443"},
        LineCase{"UDPv4 link remote: [AF_UNSPEC]", Kind::listening},
        LineCase{"MULTI: multi_init called, r=256 v=256", Kind::listening},
        LineCase{"TLS: Initial packet from [AF_INET]10.99.0.1:1194, sid=04a1f0c7 66128968", Kind::answered,
                 "", "10.99.0.1:1194"},
        LineCase{"VERIFY OK: depth=0, CN=vpn-server", Kind::verified},
        LineCase{"VERIFY ERROR: depth=0, error=certificate has expired: CN=x", Kind::verified},
        LineCase{"TLS Error: TLS handshake failed", Kind::handshake_failed},
        LineCase{"[vpn-server] Peer Connection Initiated with [AF_INET]10.99.0.1:1194",
                 Kind::handshake_completed, "vpn-server", "10.99.0.1:1194"},
        LineCase{"[vpn-server] Peer Connection Initiated with [AF_INET]10.99.0.1:1194 (via 10.0.0.5%eth0)",
                 Kind::handshake_completed, "vpn-server", "10.99.0.1:1194"},
        LineCase{"Peer Connection Initiated with [AF_INET]10.99.0.1:1194", Kind::handshake_completed, "",
                 "10.99.0.1:1194"},
        LineCase{"Initialization Sequence Completed", Kind::connected},
        LineCase{"Initialization Sequence Completed With Errors", Kind::connected},
        LineCase{"[vpn-server] Inactivity timeout (--ping-restart), restarting", Kind::peer_silent,
                 "vpn-server"},
        LineCase{"[UNDEF] Inactivity timeout (--ping-restart), restarting", Kind::peer_silent},
        LineCase{"Inactivity timeout (--ping-exit), exiting", Kind::peer_silent},
        LineCase{"SIGUSR1[soft,ping-restart] received, process restarting", Kind::reconnecting},
        LineCase{"SIGTERM received, sending exit notification to peer", Kind::exit_announced},
        LineCase{"SIGTERM[hard,] received, process exiting", Kind::exiting},
        LineCase{"Exiting due to fatal error", Kind::exiting},
        LineCase{"TLS: soft reset sec=20/20 bytes=1032/-1 pkts=23/0", Kind::soft_reset},
        LineCase{"TLS: soft reset sec=0 bytes=0/0 pkts=1/0", Kind::soft_reset},
        LineCase{"PUSH: Received control message: 'PUSH_REPLY,ping 2'", Kind::keepalive_pushed},
        LineCase{"Timers: ping 2, ping-restart 8", Kind::keepalive_effective},
        LineCase{"AUTH: Received control message: AUTH_FAILED", Kind::auth_failed},
        LineCase{"MANAGEMENT: >STATE:1795424155,WAIT,,,,,,", Kind::state_reported},
        LineCase{"TCP/UDP: Incoming packet rejected from [AF_INET]10.0.0.9:5[2], expected peer address: "
                 "[AF_INET]10.99.0.1:1194 (allow this incoming source address/port by removing --remote or "
                 "adding --float)",
                 Kind::wrong_reply_source, "", "10.0.0.9:5[2]"},
        LineCase{"read UDPv4 [ECONNREFUSED]: Connection refused (fd=5,code=111)", Kind::transport_error},
        LineCase{"write UDPv4: Network is unreachable (code=101)", Kind::transport_error},
        LineCase{"Authenticate/Decrypt packet error: bad packet ID (may be a replay): [ #1 ]",
                 Kind::bad_packet},
        LineCase{"TLS Error: local/remote TLS keys are out of sync: [AF_INET]10.99.0.1:1194 [0]",
                 Kind::bad_packet, "", "10.99.0.1:1194"}));

INSTANTIATE_TEST_SUITE_P(
    NamesThatImitateMessages, Messages,
    testing::Values(LineCase{
        "[x] Peer Connection Initiated with [AF_INET]6.6.6.6:6] Peer Connection Initiated with "
        "[AF_INET]10.99.0.1:1194",
        Kind::handshake_completed, "x] Peer Connection Initiated with [AF_INET]6.6.6.6:6",
        "10.99.0.1:1194"}));

class ClientMessages : public testing::TestWithParam<LineCase> {};

TEST_P(ClientMessages, AreOfAServersClient) {
  const LineCase& c = GetParam();
  const auto event = parse(c.text);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->kind, c.kind);
  EXPECT_TRUE(event->of_client);
  EXPECT_EQ(event->peer, c.peer);
  EXPECT_EQ(event->endpoint, c.endpoint);
}

INSTANTIATE_TEST_SUITE_P(
    OfAServer, ClientMessages,
    testing::Values(
        LineCase{"10.99.0.2:45686 TLS: Initial packet from [AF_INET]10.99.0.2:45686, sid=1d984df5 e57d60b4",
                 Kind::handshake_started, "", "10.99.0.2:45686"},
        LineCase{"cn/10.99.0.2:50001 TLS: new session incoming connection from [AF_INET]10.99.0.2:50001",
                 Kind::handshake_started, "cn", "10.99.0.2:50001"},
        LineCase{"fd99::2 [client-one] Peer Connection Initiated with [AF_INET6]fd99::2:44625",
                 Kind::handshake_completed, "client-one", "fd99::2:44625"},
        LineCase{"udp6:[fd99::2]:33020 [client-one] Peer Connection Initiated with [AF_INET6]fd99::2:33020",
                 Kind::handshake_completed, "client-one", "fd99::2:33020"},
        LineCase{"IP-A:PORT-M [clientname] Peer Connection Initiated with [AF_INET]IP-A:PORT-M",
                 Kind::handshake_completed, "clientname", "IP-A:PORT-M"},
        LineCase{"cn/10.99.0.2:5 [cn] Inactivity timeout (--ping-restart), restarting", Kind::peer_silent,
                 "cn", "10.99.0.2:5"},
        LineCase{"cn/10.99.0.2:5 SIGUSR1[soft,ping-restart] received, client-instance restarting",
                 Kind::client_dropped, "cn", "10.99.0.2:5"},
        LineCase{"cn/10.99.0.2:5 SIGTERM[soft,remote-exit] received, client-instance exiting",
                 Kind::client_dropped, "cn", "10.99.0.2:5"},
        LineCase{"cn/10.99.0.2:5 CC-EEN exit message received by peer", Kind::peer_leaving, "cn",
                 "10.99.0.2:5"},
        LineCase{
            "MULTI: new connection by client 'a 'b' will cause previous active sessions by this client to "
            "be dropped.  "
            "Remember",
            Kind::client_superseded, "a 'b"},
        LineCase{"peer 0 (client-one) floated from 10.99.0.2:38909 to [AF_INET]10.99.0.2:50001",
                 Kind::floated, "client-one", "10.99.0.2:50001"},
        LineCase{"SENT CONTROL [cn]: 'PUSH_REPLY,ping 2,ping-restart 8' (status=1)", Kind::keepalive_pushed,
                 "cn"},
        LineCase{"cn/10.99.0.2:5 SENT CONTROL [cn]: 'AUTH_FAILED' (status=1)", Kind::auth_failed, "cn",
                 "10.99.0.2:5"},
        LineCase{"a b/c:d/10.99.0.2:5 TLS: soft reset sec=1 bytes=0/0 pkts=0/0", Kind::soft_reset, "a b/c:d",
                 "10.99.0.2:5"},
        LineCase{"cn/10.99.0.2:5 write UDPv4 []: Operation not permitted (fd=6,code=1)",
                 Kind::transport_error, "cn", "10.99.0.2:5"}));

TEST(LogLine, TellsTheReasonOfARestart) {
  const auto reason = [](const std::string& inside) {
    const std::string line = "SIGUSR1[" + inside + "] received, process restarting";
    return name(parse(line).value().reason);
  };
  EXPECT_EQ(reason("soft,ping-restart"), "ping-restart");
  EXPECT_EQ(reason("soft,tls-error"), "tls-error");
  EXPECT_EQ(reason("soft,connection-reset"), "connection-reset");
  EXPECT_EQ(reason("soft,server_poll"), "server-poll");
  EXPECT_EQ(reason("soft,auth-failure"), "auth-failure");
  EXPECT_EQ(reason("soft,auth-failure (auth-token)"), "auth-failure");
  EXPECT_EQ(reason("soft,auth-temp-failure (server temporary reject)"), "auth-failure");
  EXPECT_EQ(reason("soft,exit-with-notification"), "exit-with-notification");
  EXPECT_EQ(reason("hard,"), "signal");
  EXPECT_EQ(reason("connection failed(soft),init_instance"), "other");
  EXPECT_EQ(reason("soft,server-pushed-connection-reset"), "other");
  EXPECT_EQ(reason("soft,anything] \"\n{}"), "other");
}

TEST(LogLine, ReadsTheKeepalive) {
  const auto pushed = parse(
      "PUSH: Received control message: 'PUSH_REPLY,route 10.0.0.0 255.0.0.0,ping 10,ping-restart 60,peer-id "
      "0'");
  EXPECT_EQ(pushed->ping, 10u);
  EXPECT_EQ(pushed->restart, 60u);
  const auto last = parse("PUSH: Received control message: 'PUSH_REPLY,ping-restart 60'");
  EXPECT_FALSE(last->ping);
  EXPECT_EQ(last->restart, 60u);
  const auto timers = parse("cn/1.2.3.4:5 Timers: ping 2, ping-restart 16, inactive 300");
  EXPECT_EQ(timers->ping, 2u);
  EXPECT_EQ(timers->restart, 16u);
  EXPECT_FALSE(parse("PUSH: Received control message: 'PUSH_REPLY,ping-exit 9,ping 99999999999'")->ping);
}

TEST(LogLine, ReadsErrnoAndState) {
  EXPECT_EQ(parse("read UDP [ECONNREFUSED]: Connection refused (code=111)")->code, 111);
  EXPECT_EQ(parse("MANAGEMENT: >STATE:1795424155,WAIT,,,,,,")->state, State::wait);
  EXPECT_EQ(parse("MANAGEMENT: >STATE:1795424155,GET_CONFIG,,,,,,")->state, State::auth);
}

TEST(LogLine, CarriesItsTime) {
  EXPECT_EQ(parse("2026-11-23 08:55:38 Initialization Sequence Completed")->at,
            WallTime(std::chrono::seconds(1795424138)));
  EXPECT_FALSE(parse("Initialization Sequence Completed")->at);
}

class Others : public testing::TestWithParam<std::string> {};

TEST_P(Others, TellNothing) { EXPECT_FALSE(parse(GetParam())) << GetParam().substr(0, 100); }

INSTANTIATE_TEST_SUITE_P(
    All, Others,
    testing::Values(
        "", " ", "2026-11-23 08:55:38 ", "2026-11-23 08:55:38 Restart pause, 1 second(s)",
        "UDPv4 link local: (not bound)", "SENT CONTROL [vpn-server]: 'PUSH_REQUEST' (status=1)",
        "MANAGEMENT: >STATE:1795424154,RECONNECTING,ping-restart,,,,,",
        "MANAGEMENT: >STATE:", "MANAGEMENT: >STATE:1795424156,CONNECTED,SUCCESS,10.88.0.2,10.99.0.1,1194,,",
        "TLS Error: TLS key negotiation failed to occur within 10 seconds (check your network connectivity)",
        "Nov 23 08:55:38 gw sshd[1]: Initialization Sequence Completed",
        "Nov 23 08:55:38 gw sshd[1]: x/1.2.3.4:5 Initialization Sequence Completed",
        "Initialization Sequence Completed/1.2.3.4:5 x", "OpenVPN STATISTICS", "SIGUSR1", "SIG",
        "SIGUSR1[soft", "SIGUSR1] received, [process restarting",
        "SIGUSR1[soft,x] received, process restarting quite", "[", "[]",
        "[x] Peer Connection Initiated with ", "[x] Inactivity timeout (--ping-restart)", "peer 0",
        "peer ) floated from ( to ", "read UDPv4 code=", "read it twice code=5", "MULTI: Connection from x",
        // A certificate's name or a pushed option that imitates another message.
        "VERIFY_X509NAME OK: SIGUSR1[soft,x] received, process restarting",
        "PUSH: Received control message: 'x/1.2.3.4:5 Initialization Sequence Completed'",
        "OpenVPN 2.6 phone/1.2.3.4:5 peer info: IV_VER=2.6", std::string(64 * 1024, '['),
        "[" + std::string(64 * 1024, 'x'), "\x1b[31mInitialization Sequence Completed",
        std::string("\0Initialization", 15), "2026-11-23 08:55:38 " + std::string(64 * 1024, '/')));

TEST(LogLine, KeepsAHugeNameWhole) {
  const std::string name(60 * 1024, '\x01');
  const std::string line = "1.2.3.4:5 [" + name + "] Peer Connection Initiated with [AF_INET]1.2.3.4:5";
  const auto event = parse(line);
  ASSERT_TRUE(event);
  EXPECT_EQ(event->peer, name);
  EXPECT_EQ(event->endpoint, "1.2.3.4:5");
}

TEST(LogLine, AnEndpointIsNeverLong) {
  const std::string line = "UDPv4 link remote: [AF_INET]" + std::string(60 * 1024, '1');
  EXPECT_LE(parse(line)->endpoint.size(), 128u);
}

}  // namespace
}  // namespace ue::openvpn
