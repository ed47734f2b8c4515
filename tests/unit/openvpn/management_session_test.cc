#include "openvpn/management_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "openvpn/daemon_options.h"
#include "transcript.h"

namespace ue::openvpn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::Voices;
using Trouble = ManagementSession::Trouble;

constexpr const char* kGreeting =
    ">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info\r\n";

/// A daemon's side of a conversation, word by word.
struct Daemon {
  ManagementSession session;
  std::vector<std::string> told;
  std::vector<std::string> counters;
  std::vector<std::size_t> statuses;
  Instant now{};

  explicit Daemon(std::string password = {}) : session(std::move(password)) {}
  Daemon& says(std::string_view bytes) {
    session.feed(bytes, {[this](const Event& e, Channel, bool history) {
                           std::string text =
                               std::to_string(static_cast<int>(e.kind)) + (history ? " before" : "");
                           if (!e.peer.empty()) text += " " + std::string(e.peer);
                           if (!e.endpoint.empty()) text += " " + std::string(e.endpoint);
                           told.push_back(text);
                         },
                         [this](std::uint64_t in, std::uint64_t out) {
                           counters.push_back(std::to_string(in) + "/" + std::to_string(out));
                         },
                         [this](const StatusReport& report) { statuses.push_back(report.clients.size()); }});
    return *this;
  }
  std::string hears() { return session.next_command(now); }
};

std::string kind(Event::Kind k) { return std::to_string(static_cast<int>(k)); }

TEST(ManagementSession, AsksOneThingAtATimeAndThenOnlyListens) {
  Daemon d;
  EXPECT_EQ(d.hears(), "") << "nothing before the greeting";
  d.says(kGreeting);
  EXPECT_EQ(d.hears(), "state on all\n");
  EXPECT_EQ(d.hears(), "");
  d.says(
      "SUCCESS: real-time state notification set to "
      "ON\r\n1795423981,CONNECTED,SUCCESS,10.88.0.2,10.99.0.1,1194,,\r\n");
  EXPECT_EQ(d.hears(), "");
  d.says("END\r\n");
  EXPECT_EQ(d.hears(), "log on all\n");
  d.says(
      "SUCCESS: real-time log notification set to ON\r\n1795423990,I,Initialization Sequence Completed\r\n");
  d.says(">BYTECOUNT:1,2\r\nEND\r\n");
  EXPECT_EQ(d.hears(), "status 3\n");
  d.says("OpenVPN STATISTICS\r\nUpdated,2026\r\nTCP/UDP read bytes,5\r\nTCP/UDP write bytes,6\r\nEND\r\n");
  EXPECT_EQ(d.hears(), "bytecount 1\n");
  d.says("SUCCESS: bytecount interval changed\r\n>BYTECOUNT:5120,7340\r\n");
  d.now += std::chrono::hours(1);
  EXPECT_EQ(d.hears(), "");
  EXPECT_THAT(d.counters, ElementsAre("1/2", "5120/7340"));
  EXPECT_THAT(d.told, ElementsAre(kind(Event::Kind::handshake_completed) + " before 10.99.0.1:1194",
                                  kind(Event::Kind::connected) + " before 10.99.0.1:1194",
                                  kind(Event::Kind::connected) + " before"));
}

TEST(ManagementSession, AServersStatusIsAskedForAgainAndAgain) {
  Daemon d;
  d.says(kGreeting).hears();
  d.says("END\r\n").hears();
  d.says("ERROR: unknown command, enter 'help' for more options\r\n");
  ASSERT_EQ(d.hears(), "status 3\n");
  const std::string status =
      "TITLE\tOpenVPN 2.6\r\nTIME\tx\t1795424611\r\nHEADER\tCLIENT_LIST\tCommon Name\tReal Address\tBytes "
      "Received\tBytes Sent\tConnected Since\r\nCLIENT_LIST\ta\t10.0.0.1:5\t7\t9\tx\r\n";
  d.says(status).says(">LOG:1795423990,I,noise between the lines\r\n").says("END\r\n");
  EXPECT_THAT(d.statuses, ElementsAre(1));
  EXPECT_EQ(d.hears(), "") << "its byte counts would be a line for each client and second";
  d.now += ManagementSession::kStatusEvery;
  EXPECT_EQ(d.hears(), "status 3\n");
  d.says(status).says("END\r\n");
  EXPECT_THAT(d.statuses, ElementsAre(1, 1));
}

TEST(ManagementSession, ClientsOfAServerAreToldByTheirEnvironmentOfWhichOnlyThreeValuesAreLookedAt) {
  Daemon d;
  d.says(kGreeting)
      .says(">CLIENT:ESTABLISHED,1\r\n>CLIENT:ENV,password=secret\r\n>CLIENT:ENV,common_name=client-one\r\n")
      .says(">CLIENT:ENV,trusted_ip6=fd99::2\r\n>CLIENT:ENV,trusted_port=58274\r\n>CLIENT:ENV,END\r\n")
      .says(
          ">CLIENT:ENV,common_name=late\r\n>CLIENT:ENV,END\r\n>CLIENT:ESTABLISHED,2\r\n>CLIENT:ENV,END\r\n");
  EXPECT_THAT(d.told, ElementsAre(kind(Event::Kind::handshake_completed) + " client-one fd99::2:58274"));
}

TEST(ManagementSession, ThePasswordIsSentOnceAndAWrongOneIsTold) {
  Daemon d("secret");
  d.says("ENTER PASSW").says("ORD:");
  EXPECT_EQ(d.hears(), "secret\n");
  EXPECT_EQ(d.session.trouble(), Trouble::none);
  d.says("SUCCESS: password is correct\r\n");
  EXPECT_EQ(d.hears(), "");
  d.says(kGreeting);
  EXPECT_EQ(d.hears(), "state on all\n");

  Daemon wrong("guess");
  wrong.says("ENTER PASSWORD:").hears();
  wrong.says("ENTER PASSWORD:");
  EXPECT_EQ(wrong.session.trouble(), Trouble::password_wrong);
  EXPECT_EQ(wrong.hears(), "");
  Daemon none;
  none.says("ENTER PASSWORD:");
  EXPECT_EQ(none.session.trouble(), Trouble::password_needed);
  EXPECT_EQ(none.hears(), "");
}

TEST(ManagementSession, NothingIsEverAnsweredAndNothingReleased) {
  for (const char* question :
       {">HOLD:Waiting for hold release:0\r\n", ">PASSWORD:Need 'Auth' username/password\r\n",
        ">NEED-OK:Need 'token' confirmation MSG:x\r\n", ">REMOTE:a,1194,udp\r\n"}) {
    Daemon d;
    d.says(kGreeting).says(question);
    EXPECT_NE(d.session.trouble(), Trouble::none) << question;
    for (int i = 0; i < 8; ++i) {
      const std::string sent = d.hears();
      if (sent.empty()) break;
      EXPECT_THAT(std::vector<std::string>({"state on all\n", "log on all\n", "status 3\n", "bytecount 1\n"}),
                  testing::Contains(sent));
      d.says("ERROR: no\r\n");
    }
  }
}

TEST(ManagementSession, GarbageAndFloodsAreNothing) {
  Daemon d;
  d.says(kGreeting).hears();
  d.says(std::string(1'000'000, 'x'))
      .says("\r\n>STATE:\r\n>STATE:x,WAIT\r\n>STATE:99999999999999,WAIT,,\r\n")
      .says(">LOG:1,\r\n>BYTECOUNT:-1,x\r\n>\r\n>CLIENT:\r\n,,,\r\n\0\r\n");
  EXPECT_THAT(d.told, IsEmpty());
  EXPECT_THAT(d.counters, IsEmpty());
}

TEST(ManagementDanger, OptionsThatMakeAttachingDangerousAreFoundWhereverTheyStand) {
  const auto options = management_options(
      "# management-signal\nmanagement \"/run/o.sock\" unix\n<ca>\nmanagement-hold\n</ca>\n"
      "<connection>\nremote a\n</connection>\n\tverb 3\r\n--management-log-cache 100\n");
  EXPECT_THAT(options, ElementsAre("management /run/o.sock unix", "management-log-cache 100"));
  EXPECT_FALSE(management_danger(options));
  for (const char* option : {"management-signal", "management-hold", "management-query-passwords",
                             "management-client-auth", "management-forget-disconnect"}) {
    const auto danger = management_danger(management_options("verb 1\n  " + std::string(option) + "\n"));
    ASSERT_TRUE(danger) << option;
    EXPECT_THAT(*danger, HasSubstr(option));
  }
  EXPECT_FALSE(running_daemon_options("unix:/nowhere/at/all.sock"));
}

}  // namespace
}  // namespace ue::openvpn
