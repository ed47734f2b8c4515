// Every message that OpenVPN 2.3 to 2.7 has for what concerns us, in the words of each version, and what is
// made of it. 2.4, 2.6 and 2.7 have recordings besides. No programs of 2.3 and 2.5 are to be had: their lines
// are written here from the formats in OpenVPN's sources and manual, not recorded.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "openvpn/analysis.h"
#include "openvpn/log_line.h"
#include "openvpn/management_session.h"
#include "support.h"

namespace ue::openvpn {
namespace {

using Kind = Event::Kind;

struct Message {
  const char* text;
  std::optional<Kind> kind;  ///< nothing: another line, named beside it, tells the same
  bool of_client = false;
  int code = 0;
};

void PrintTo(const Message& m, std::ostream* out) { *out << m.text; }

class EveryMessage : public testing::TestWithParam<Message> {};

TEST_P(EveryMessage, IsClassifiedBehindTheHeadOfEveryVersion) {
  const Message& m = GetParam();
  for (const std::string head :
       {"Mon Nov 23 08:55:38 2026 ",                       // 2.3, 2.4
        "Mon Nov  2 08:55:38 2026 us=937218 ",             // ... at --verb 4
        "2026-11-23 08:53:00 ",                            // 2.5 and later
        "2026-11-23 08:53:00 us=937218 ",                  // ... at --verb 4
        "1795424932.054131 26000003 ",                     // --machine-readable-output
        "",                                                // --suppress-timestamps, journald
        "Nov 23 08:55:38 gw ovpn-cloud[812]: ",            // syslog, Debian's ident
        "2026-11-23T08:55:38.054131+01:00 gw openvpn: "})  // ... of newer syslog daemons
  {
    const std::string line = head + m.text;
    const auto event = parse_log_line(line, LogClock::assume_utc());
    ASSERT_EQ(event.has_value(), m.kind.has_value()) << line;
    if (!event) continue;
    EXPECT_EQ(event->kind, *m.kind) << line;
    EXPECT_EQ(event->of_client, m.of_client) << line;
    EXPECT_EQ(event->code, m.code) << line;
    EXPECT_EQ(event->at.has_value(), !head.empty()) << line;
  }
}

constexpr auto kNothing = std::nullopt;

INSTANTIATE_TEST_SUITE_P(
    OfTheDaemon, EveryMessage,
    testing::Values(
        Message{"OpenVPN 2.3.18 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [EPOLL] [MH] [IPv6]",
                Kind::process_started},
        Message{"OpenVPN 2.5.11 x86_64-pc-linux-gnu [SSL (OpenSSL)] [LZO] [LZ4] [EPOLL] [PKCS11]",
                Kind::process_started},
        Message{"OpenVPN 2.7.6 x86_64-pc-linux-gnu [SSL (OpenSSL)] [DCO]", Kind::process_started},
        Message{"Initialization Sequence Completed", Kind::connected},
        Message{"Initialization Sequence Completed With Errors ( see "
                "http://openvpn.net/faq.html#dhcpclientserv )",
                Kind::connected},
        Message{"UDPv4 link local: (not bound)", kNothing},  // "link remote" follows
        Message{"UDPv4 link local (bound): [AF_INET][undef]:5000", kNothing},
        Message{"UDPv4 link local: [undef]", kNothing},
        Message{"UDPv4 link remote: [AF_INET]192.0.2.1:1194", Kind::handshake_started},
        Message{"UDP link remote: [AF_INET]192.0.2.1:1194", Kind::handshake_started},
        Message{"UDPv6 link remote: [AF_INET6]2001:db8::1:1194", Kind::handshake_started},
        Message{"UDPv4 link remote: [AF_UNSPEC]", Kind::listening},
        Message{"UDPv4 link remote: [undef]", Kind::listening},  // 2.3
        Message{"TCPv4_CLIENT link remote: [AF_INET]192.0.2.1:443", Kind::handshake_started},
        Message{"TCP_CLIENT link remote: [AF_INET]192.0.2.1:443", Kind::handshake_started},
        Message{"TCPv4_SERVER link remote: [AF_UNSPEC]", Kind::listening},
        Message{"TCP/UDP: Preserving recently used remote address: [AF_INET]192.0.2.1:1194", Kind::attempt},
        Message{"TLS: Initial packet from [AF_INET]192.0.2.1:1194, sid=04a1f0c7 66128968", Kind::answered},
        Message{"VERIFY OK: depth=1, CN=ca", Kind::verified},
        Message{"VERIFY ERROR: depth=0, error=certificate has expired: CN=x, serial=1", Kind::verified},
        Message{"Control Channel: TLSv1.2, cipher TLSv1/SSLv3 ECDHE-RSA-AES256-GCM-SHA384, 2048 bit RSA",
                Kind::keys_agreed},
        Message{"Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384", Kind::keys_agreed},
        Message{"[vpn-server] Peer Connection Initiated with [AF_INET]192.0.2.1:1194",
                Kind::handshake_completed},
        Message{"[vpn-server] Peer Connection Initiated with [AF_INET]192.0.2.1:1194 (via 10.0.0.5%eth0)",
                Kind::handshake_completed},
        Message{"TLS: move_session: dest=TM_ACTIVE src=TM_INITIAL reinit_src=1", kNothing},  // keys agreed
        Message{
            "PUSH: Received control message: 'PUSH_REPLY,route 10.0.0.0 255.0.0.0,ping 10,ping-restart 60'",
            Kind::keepalive_pushed},
        Message{"Data Channel: cipher 'AES-256-GCM', peer-id: 0", kNothing},  // "Timers" follows
        Message{"Timers: ping 10, ping-restart 60", Kind::keepalive_effective},
        Message{"TLS: soft reset sec=20/20 bytes=1032/-1 pkts=23/0", Kind::soft_reset},
        Message{"TLS: soft reset sec=0 bytes=1032/0 pkts=23/0", Kind::soft_reset},  // 2.3, 2.4
        Message{"[vpn-server] Inactivity timeout (--ping-restart), restarting", Kind::peer_silent},
        Message{"[UNDEF] Inactivity timeout (--ping-restart), restarting", Kind::peer_silent},
        Message{"[vpn-server] Inactivity timeout (--ping-exit), exiting", Kind::peer_silent},
        Message{"Inactivity timeout (--inactive), exiting", Kind::peer_silent},
        Message{"TLS Error: TLS key negotiation failed to occur within 60 seconds (check your network "
                "connectivity)",
                kNothing},
        Message{"TLS Error: TLS handshake failed", Kind::handshake_failed},
        Message{"SIGUSR1[soft,ping-restart] received, process restarting", Kind::reconnecting},
        Message{"SIGUSR1[soft,tls-error] received, process restarting", Kind::reconnecting},
        Message{"SIGUSR1[soft,connection-reset] received, process restarting", Kind::reconnecting},
        Message{"SIGUSR1[connection failed(soft),init_instance] received, process restarting",
                Kind::reconnecting},
        Message{"SIGHUP[hard,] received, process restarting", Kind::reconnecting},
        Message{"SIGTERM[hard,] received, process exiting", Kind::exiting},
        Message{"SIGTERM[soft,exit-with-notification] received, process exiting", Kind::exiting},
        Message{"SIGINT[hard,] received, process exiting", Kind::exiting},
        Message{"SIGTERM received, sending exit notification to peer", Kind::exit_announced},
        Message{"Exiting due to fatal error", Kind::exiting},
        Message{"Restart pause, 300 second(s)", kNothing},                  // SIGUSR1 came before
        Message{"SENT CONTROL [vpn-server]: 'EXIT' (status=1)", kNothing},  // the server is told, not we
        Message{"Delayed exit in 5 seconds", kNothing},
        Message{"AUTH: Received control message: AUTH_FAILED", Kind::auth_failed},
        Message{"AUTH: Received control message: AUTH_FAILED,SESSION: token expired", Kind::auth_failed},
        Message{"TCP connection established with [AF_INET]192.0.2.1:443", kNothing},  // "link remote" follows
        Message{"Connection reset, restarting [0]", kNothing},                        // SIGUSR1 follows
        Message{"Server poll timeout, restarting", kNothing},                         // SIGUSR1 follows
        Message{"Session timeout, exiting", kNothing},                                // SIGTERM follows
        Message{"read UDPv4 [ECONNREFUSED]: Connection refused (code=111)", Kind::transport_error, false,
                111},
        Message{"read UDP [ECONNREFUSED]: Connection refused (code=111)", Kind::transport_error, false, 111},
        Message{"read UDPv4 [ECONNREFUSED]: Connection refused (fd=6,code=111)", Kind::transport_error, false,
                111},
        Message{"write UDPv4: Operation not permitted (code=1)", Kind::transport_error, false, 1},
        Message{"write UDPv4 []: Operation not permitted (fd=6,code=1)", Kind::transport_error, false, 1},
        Message{"write UDP: Network is unreachable (code=101)", Kind::transport_error, false, 101},
        Message{"write UDPv4 [EHOSTUNREACH|EHOSTUNREACH]: No route to host (fd=6,code=113)",
                Kind::transport_error, false, 113},
        Message{"write UDPv4 [EMSGSIZE Path-MTU=1400]: Message too long (fd=6,code=90)",
                Kind::transport_error, false, 90}),
    [](const auto& m) { return "line_" + std::to_string(m.index); });

INSTANTIATE_TEST_SUITE_P(
    OfTrouble, EveryMessage,
    testing::Values(
        Message{"TCP/UDP: Incoming packet rejected from [AF_INET]192.0.2.9:1194[2], expected peer address: "
                "[AF_INET]192.0.2.1:1194 (allow this incoming source address/port by removing --remote or "
                "adding --float)",
                Kind::wrong_reply_source},
        Message{"Authenticate/Decrypt packet error: packet HMAC authentication failed", Kind::bad_packet},
        Message{"Authenticate/Decrypt packet error: bad packet ID (may be a replay): [ #1 / time = (1) ]",
                Kind::bad_packet},
        Message{"AEAD Decrypt error: bad packet ID (may be a replay): [ #47 ]", Kind::bad_packet},
        Message{"AEAD Decrypt error: cipher final failed", Kind::bad_packet},
        Message{"PID_ERR replay-window backtrack occurred [1] [SSL-0] [0] 0:2 0:1 t=1[0] r=[-1,64,15,1,1] "
                "sl=[62,2,64,528]",
                kNothing},
        Message{"TLS Error: local/remote TLS keys are out of sync: [AF_INET]192.0.2.1:1194 [0]",
                Kind::bad_packet},
        Message{"TLS Error: Unroutable control packet received from [AF_INET]192.0.2.1:1194 (si=3 "
                "op=P_CONTROL_V1)",
                Kind::bad_packet},
        Message{"TLS Error: cannot locate HMAC in incoming packet from [AF_INET]192.0.2.1:1194",
                Kind::bad_packet},
        Message{"TLS Error: incoming packet authentication failed from [AF_INET]192.0.2.1:1194",
                Kind::bad_packet},
        Message{"TLS Error: tls-crypt unwrapping failed from [AF_INET]192.0.2.1:1194", Kind::bad_packet}),
    [](const auto& m) { return "line_" + std::to_string(m.index); });

INSTANTIATE_TEST_SUITE_P(
    OfAServer, EveryMessage,
    testing::Values(
        Message{"MULTI: multi_init called, r=256 v=256", Kind::listening},
        Message{"192.0.2.7:41000 TLS: Initial packet from [AF_INET]192.0.2.7:41000, sid=1d984df5 e57d60b4",
                Kind::handshake_started, true},
        Message{"udp4:192.0.2.7:41000 [cn] Peer Connection Initiated with [AF_INET]192.0.2.7:41000",
                Kind::handshake_completed, true},
        Message{"udp6:[2001:db8::7]:41000 [cn] Peer Connection Initiated with [AF_INET6]2001:db8::7:41000",
                Kind::handshake_completed, true},
        Message{"2001:db8::7 [cn] Peer Connection Initiated with [AF_INET6]2001:db8::7:41000",
                Kind::handshake_completed, true},
        Message{"192.0.2.7:41000 [cn] Peer Connection Initiated with [AF_INET]192.0.2.7:41000 (via "
                "[AF_INET]192.0.2.1%eth0)",
                Kind::handshake_completed, true},
        Message{"cn/192.0.2.7:41000 TLS: new session incoming connection from [AF_INET]192.0.2.7:41000",
                Kind::handshake_started, true},
        Message{
            "Connection Attempt 192.0.2.7:41000 [cn] Peer Connection Initiated with [AF_INET]192.0.2.7:41000",
            Kind::handshake_completed, true},
        Message{"MULTI: new connection by client 'cn' will cause previous active sessions by this client to "
                "be dropped.  "
                "Remember to use the --duplicate-cn option if you want multiple clients using the same "
                "certificate or "
                "username to concurrently connect.",
                Kind::client_superseded, true},
        Message{"MULTI: Learn: 10.8.0.2 -> cn/192.0.2.7:41000", kNothing},  // the arrival was told
        Message{"MULTI: primary virtual IP for cn/192.0.2.7:41000: 10.8.0.2", kNothing},
        Message{"SENT CONTROL [cn]: 'PUSH_REPLY,ping 10,ping-restart 60,peer-id 0' (status=1)",
                Kind::keepalive_pushed, true},
        Message{"cn/192.0.2.7:41000 SENT CONTROL [cn]: 'PUSH_REPLY,ping 10,ping-restart 60' (status=1)",
                Kind::keepalive_pushed, true},
        Message{"cn/192.0.2.7:41000 Timers: ping 10, ping-restart 120", Kind::keepalive_effective, true},
        Message{"cn/192.0.2.7:41000 [cn] Inactivity timeout (--ping-restart), restarting", Kind::peer_silent,
                true},
        Message{"cn/192.0.2.7:41000 SIGUSR1[soft,ping-restart] received, client-instance restarting",
                Kind::client_dropped, true},
        Message{"192.0.2.7:41000 SIGUSR1[soft,tls-error] received, client-instance restarting",
                Kind::client_dropped, true},
        Message{"cn/192.0.2.7:41000 SIGTERM[soft,remote-exit] received, client-instance exiting",
                Kind::client_dropped, true},
        Message{"cn/192.0.2.7:41000 SIGTERM[soft,delayed-exit] received, client-instance exiting",
                Kind::client_dropped, true},
        Message{"cn/udp4:192.0.2.7:41000 CC-EEN exit message received by peer", Kind::peer_leaving, true},
        Message{"192.0.2.7:41000 SENT CONTROL [cn]: 'AUTH_FAILED' (status=1)", Kind::auth_failed, true},
        Message{"192.0.2.7:41000 TLS Error: TLS handshake failed", Kind::handshake_failed, true},
        Message{"cn/192.0.2.7:41000 write UDPv4 [ECONNREFUSED]: Connection refused (fd=6,code=111)",
                Kind::transport_error, true, 111},
        Message{"Float requested for peer 0 to 192.0.2.7:50001", kNothing},  // it may still be disallowed
        Message{"peer 0 (cn) floated from 192.0.2.7:38909 to [AF_INET]192.0.2.7:50001", Kind::floated, true},
        Message{"Disallow float to an address taken by another client cn/192.0.2.7:41000", kNothing},
        Message{"MULTI: Connection from 192.0.2.7:41000 would exceed new connection frequency limit as "
                "controlled by --connect-freq",
                Kind::refused}),
    [](const auto& m) { return "line_" + std::to_string(m.index); });

/// One client's life in a version's words: a soft reset, a silence, a return, a goodbye.
struct Version {
  const char* name;
  std::string head;
  const char* link;
  const char* soft_reset;
};

std::string client_of(const Version& v) {
  const std::string handshake =
      "TLS: Initial packet from [AF_INET]192.0.2.1:1194, sid=1 2\nVERIFY OK: depth=0, CN=s\n"
      "[s] Peer Connection Initiated with [AF_INET]192.0.2.1:1194\n"
      "PUSH: Received control message: 'PUSH_REPLY,ping 10,ping-restart 60'\n"
      "Initialization Sequence Completed\n";
  std::istringstream lines(
      std::string("OpenVPN ") + v.name + " x86_64-pc-linux-gnu\n" + v.link + "\n" + handshake + v.soft_reset +
      "\nVERIFY OK: depth=0, CN=s\n[s] Inactivity timeout (--ping-restart), restarting\n"
      "SIGUSR1[soft,ping-restart] received, process restarting\nRestart pause, 5 second(s)\n" +
      v.link + "\n" + handshake + "SIGTERM[hard,] received, process exiting\n");
  std::string log;
  for (std::string line; std::getline(lines, line);) log += v.head + line + "\n";
  return log;
}

TEST(EveryVersion, TellsTheSameLifeInItsOwnWords) {
  constexpr const char* kLink = "UDPv4 link remote: [AF_INET]192.0.2.1:1194";
  constexpr const char* kOldLink = "UDP link remote: [AF_INET]192.0.2.1:1194";
  constexpr const char* kOldReset = "TLS: soft reset sec=0 bytes=1032/0 pkts=23/0";
  constexpr const char* kReset = "TLS: soft reset sec=3600/3600 bytes=1032/-1 pkts=23/0";
  for (const Version& v :
       {Version{"2.3.18", "Thu Jul 14 08:32:10 2022 ", kLink, kOldReset},
        Version{"2.3.18", "Thu Jul 14 08:32:10 2022 us=123456 ", kLink, kOldReset},
        Version{"2.4.12", "Thu Jul 14 08:32:10 2022 ", kOldLink, kOldReset},
        Version{"2.5.11", "2022-07-14 08:32:10 ", kOldLink, kReset},
        Version{"2.5.11", "2022-07-14 08:32:10 us=1 ", kOldLink, kReset},
        Version{"2.5.11", "1657787530.054131 1 ", kOldLink, kReset},
        Version{"2.5.11", "Jul 14 08:32:10 gw ovpn-client[8]: ", kOldLink, kReset},
        Version{"2.6.22", "2022-07-14 08:32:10 ", kLink, kReset}, Version{"2.7.6", "", kLink, kReset}}) {
    Analysis analysis;
    analysis.feed(client_of(v));
    const auto found = nlohmann::json::parse(analysis.json());
    EXPECT_EQ(found["role"], "client") << v.name << v.head;
    EXPECT_EQ(found["sessions"], 2) << v.name << v.head;
    EXPECT_EQ(found["reconnects_by_reason"], (nlohmann::json{{"ping-restart", 1}})) << v.name << v.head;
    EXPECT_EQ(found["soft_resets"], 1) << v.name << v.head;
    EXPECT_EQ(found["handshakes"], (nlohmann::json{{"started", 2}, {"completed", 2}, {"failed", 0}}))
        << v.name << v.head;
  }
}

TEST(EveryVersion, ManagementStatesHaveFiveToNineFields) {
  for (const char* rest : {"CONNECTED,SUCCESS,10.88.0.2,192.0.2.1",                        // 2.3: no port
                           "CONNECTED,SUCCESS,10.88.0.2,192.0.2.1,1194,,",                 // 2.4 and later
                           "CONNECTED,ROUTE_ERROR,10.88.0.2,192.0.2.1,1194,,,fd99::2"}) {  // 2.6, IPv6 inside
    ManagementSession session;
    std::vector<Kind> kinds;
    const ManagementSession::Sink sink{[&](const Event& e, Channel, bool) { kinds.push_back(e.kind); },
                                       [](std::uint64_t, std::uint64_t) {}, [](const StatusReport&) {}};
    session.feed(
        ">INFO:OpenVPN Management Interface Version 1 -- type 'help' for more info\r\n>STATE:1657787530," +
            std::string(rest) + "\r\n",
        sink);
    EXPECT_EQ(kinds, (std::vector{Kind::handshake_completed, Kind::connected})) << rest;
  }
}

}  // namespace
}  // namespace ue::openvpn
