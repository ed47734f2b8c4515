#include "openvpn/status_report.h"

#include <gtest/gtest.h>

#include "support.h"

namespace ue::openvpn {
namespace {

using testing_support::read_data;

constexpr const char* kHeader26 =
    "HEADER,CLIENT_LIST,Common Name,Real Address,Virtual Address,Virtual IPv6 Address,Bytes Received,Bytes "
    "Sent,Connected Since,Connected Since (time_t),Username,Client ID,Peer ID,Data Channel Cipher\n";
constexpr const char* kTail =
    "GLOBAL_STATS,Max bcast/mcast queue length,1\nGLOBAL_STATS,dco_enabled,0\nEND\n";

std::string version2(const std::string& rows) {
  return std::string("TITLE,OpenVPN 2.6.22 x86_64-pc-linux-gnu\nTIME,2026-11-23 09:03:31,1795424611\n") +
         kHeader26 + rows +
         "HEADER,ROUTING_TABLE,Virtual Address,Common Name,Real Address,Last Ref,Last Ref (time_t)\n" + kTail;
}

std::string version1(const std::string& rows) {
  return "OpenVPN CLIENT LIST\nUpdated,2026-11-23 08:55:10\nCommon Name,Real Address,Bytes Received,Bytes "
         "Sent,Connected Since\n" +
         rows +
         "ROUTING TABLE\nVirtual Address,Common Name,Real Address,Last "
         "Ref\n10.88.0.2C,a,10.0.0.1:5,2026\nGLOBAL "
         "STATS\nMax bcast/mcast queue length,0\nEND\n";
}

StatusFault fault_of(const std::string& text) {
  StatusReport report;
  return parse_status(text, report);
}

TEST(StatusReport, RecordingsOfRealServersAndClients) {
  for (const std::string version : {"v2.4.12", "v2.6.22", "v2.7.6-udp6"}) {
    StatusReport report;
    const std::string server = read_data(version + "/s.status2");
    ASSERT_EQ(parse_status(server, report), StatusFault::none) << version;
    EXPECT_EQ(report.role, Role::server);
    ASSERT_EQ(report.clients.size(), 1u);
    EXPECT_EQ(report.clients[0].common_name, "client-one");
    EXPECT_EQ(report.clients[0].client_id, "1");
    EXPECT_GT(report.clients[0].received, 1000u);
    ASSERT_TRUE(report.clients[0].since_at && report.at);
    EXPECT_LT(*report.at - *report.clients[0].since_at, std::chrono::minutes(1));
    std::string buffer;
    EXPECT_EQ(plain_endpoint(report.clients[0].real_address, buffer), version == "v2.4.12" ? "10.99.0.2:37067"
                                                                      : version == "v2.6.22"
                                                                          ? "10.99.0.2:38833"
                                                                          : "fd99::2:53217");
    const std::string client = read_data(version + "/c.status");
    ASSERT_EQ(parse_status(client, report), StatusFault::none) << version;
    EXPECT_EQ(report.role, Role::client);
    EXPECT_GT(report.received, 1000u);
    EXPECT_GT(report.sent, 1000u);
  }
}

TEST(StatusReport, EveryVersionTellsTheSame) {
  const std::string row =
      "a,10.0.0.1:5,10.88.0.2,,7,9,2026-11-23 09:03:23,1795424603,UNDEF,1,1,AES-256-GCM\n";
  const std::string v2 = version2("CLIENT_LIST," + row);
  std::string v3 = v2;
  for (char& c : v3) c = c == ',' ? '\t' : c;
  const std::string v23 =
      "TITLE,OpenVPN 2.3.18\nTIME,Mon Nov 23 08:58:12 2026,1795424611\nHEADER,CLIENT_LIST,Common Name,Real "
      "Address,Virtual Address,Bytes Received,Bytes Sent,Connected Since,Connected Since "
      "(time_t),Username\nCLIENT_LIST,a,10.0.0.1:5,10.88.0.2,7,9,Mon Nov 23 08:58:05 "
      "2026,1795424603,UNDEF\nEND\n";
  std::string crlf;
  for (const char c : v2) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  for (const std::string& text : {v2, v3, v23, crlf, version1("a,10.0.0.1:5,7,9,2026-11-23 09:03:23\n"),
                                  v2 + "HEADER,ERRORS,x\nERRORS,1\n"}) {
    StatusReport report;
    ASSERT_EQ(parse_status(text, report), StatusFault::none) << text;
    ASSERT_EQ(report.clients.size(), 1u) << text;
    EXPECT_EQ(report.clients[0].common_name, "a");
    EXPECT_EQ(report.clients[0].real_address, "10.0.0.1:5");
    EXPECT_EQ(report.clients[0].received, 7u);
    EXPECT_EQ(report.clients[0].sent, 9u);
  }
}

TEST(StatusReport, NamesMayHoldTheSeparator) {
  StatusReport report;
  const std::string v1 = version1("O=x, CN=y,10.0.0.1:5,7,9,2026-11-23 09:03:23\n");
  ASSERT_EQ(parse_status(v1, report), StatusFault::none);
  EXPECT_EQ(report.clients[0].common_name, "O=x, CN=y");
  const std::string v2 = version2(
      "CLIENT_LIST,a,b,10.0.0.1:5,10.88.0.2,,7,9,2026-11-23 09:03:23,1795424603,a,b,4,1,AES-256-GCM\n"
      "CLIENT_LIST,UNDEF,10.0.0.9:5,,,7,9,2026-11-23 09:03:23,1795424603,UNDEF,5,1,AES-256-GCM\n");
  ASSERT_EQ(parse_status(v2, report), StatusFault::none);
  ASSERT_EQ(report.clients.size(), 2u);
  EXPECT_EQ(report.clients[0].common_name, "a,b");
  EXPECT_EQ(report.clients[0].received, 7u);
  EXPECT_EQ(report.clients[0].client_id, "4");
  EXPECT_EQ(report.clients[1].common_name, "") << "not authenticated yet";
}

TEST(StatusReport, HalfOfOneAndHalfOfAnotherIsTornWhereverItWasCut) {
  const std::string row = ",10.0.0.1:5,10.88.0.2,,7,9,2026-11-23 09:03:23,1795424603,UNDEF,1,1,AES-256-GCM\n";
  const std::string older = version2("CLIENT_LIST,somebody-with-a-long-name" + row + "CLIENT_LIST,b" + row);
  const std::string newer = version2("CLIENT_LIST,a" + row);
  for (std::size_t cut = 0; cut < newer.size(); ++cut) {
    EXPECT_NE(fault_of(newer.substr(0, cut)), StatusFault::none) << cut;
    // Rewritten in place up to `cut`: the rest is of the report before.
    const std::string mixed = newer.substr(0, cut) + older.substr(cut);
    StatusReport report;
    if (parse_status(mixed, report) != StatusFault::none) continue;
    for (const auto& client : report.clients) EXPECT_EQ(client.received, 7u) << mixed;
    EXPECT_LE(report.clients.size(), 2u) << mixed;
  }
  EXPECT_EQ(fault_of(newer + older.substr(newer.size())), StatusFault::torn);
}

TEST(StatusReport, SaysWhatIsWrong) {
  EXPECT_EQ(fault_of(""), StatusFault::empty);
  EXPECT_EQ(fault_of("\n"), StatusFault::empty);
  EXPECT_EQ(fault_of(std::string(100, '\0')), StatusFault::empty);
  EXPECT_EQ(fault_of("2026-11-23 08:53:00 OpenVPN 2.6.22\n"), StatusFault::unknown_form);
  EXPECT_EQ(fault_of(version2("CLIENT_LIST,a,10.0.0.1:5,10.88.0.2,,x,9,s,1795424603,U,1,1,c\n")),
            StatusFault::torn);
  EXPECT_EQ(fault_of(version2("CLIENT_LIST" + std::string(100, ',') + "\n")), StatusFault::torn);
  EXPECT_EQ(fault_of("OpenVPN STATISTICS\nUpdated,2026\nTCP/UDP read bytes,1\nEND\n"), StatusFault::torn);
}

TEST(PlainEndpoint, IsWrittenAsALogWritesIt) {
  std::string buffer;
  EXPECT_EQ(plain_endpoint("10.0.0.1:5", buffer), "10.0.0.1:5");
  EXPECT_EQ(plain_endpoint("udp4:10.0.0.1:5", buffer), "10.0.0.1:5");
  EXPECT_EQ(plain_endpoint("tcp6-server:[fd99::2]:41000", buffer), "fd99::2:41000");
  EXPECT_EQ(plain_endpoint("fd99::2", buffer), "") << "has no port";
  EXPECT_EQ(plain_endpoint("10.0.0.1", buffer), "");
  EXPECT_EQ(plain_endpoint("", buffer), "");
}

}  // namespace
}  // namespace ue::openvpn
