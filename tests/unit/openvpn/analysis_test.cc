#include "openvpn/analysis.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "openvpn/log_archive.h"
#include "support.h"

namespace ue::openvpn {
namespace {

using nlohmann::json;

json analyze(const std::string& log, Role role = Role::unknown) {
  Analysis analysis(role);
  analysis.feed(log);
  return json::parse(analysis.json());
}

TEST(Analysis, RecordingsGiveTheirCountsAndTheLoopBeforeTheFullBlock) {
  for (const std::string version : {"v2.4.12", "v2.6.22", "v2.7.6-udp6"}) {
    const auto expected = json::parse(testing_support::read_data(version + "/expected.json"));
    const std::string log = testing_support::read_data(version + "/c.log");
    const json client = analyze(log);
    EXPECT_EQ(client["role"], "client") << version;
    EXPECT_EQ(client["reconnects_by_reason"], expected["client"]["reconnects_by_reason"]) << version;
    EXPECT_EQ(client["sessions"], expected["client"]["sessions"]) << version;
    EXPECT_EQ(client["diagnosis"], "disconnected") << version;
    EXPECT_EQ(client["soft_resets"], expected["client"]["soft_resets"]) << version;
    EXPECT_EQ(client["handshakes"]["completed"], expected["client"]["handshakes_completed"]) << version;
    std::size_t end = 0;
    for (int i = 0; i < 3; ++i) end = log.find("process restarting\n", end) + 19;
    EXPECT_EQ(analyze(log.substr(0, end))["diagnosis"], "one_way_loop") << version;
    const json server = analyze(testing_support::read_data(version + "/s.log"));
    const auto one = expected["server"]["clients"]["client-one"];
    ASSERT_EQ(server["clients"].size(), 1u) << version;
    EXPECT_EQ(server["clients"][0]["sessions"], one["arrivals"]) << version;
    EXPECT_EQ(server["clients"][0]["endpoint_changes"], one["endpoint_changes"]) << version;
  }
}

/// What the real OpenVPN of Debian 12 wrote in the lab under each fault (UPLINK_LAB_KEEP records them).
struct LabLog {
  const char* file;
  const char* role;
  const char* diagnosis;
  json reconnects_by_reason;
  int soft_resets;
};

TEST(Analysis, EachFaultOfTheLabHasItsOwnDiagnosis) {
  const LabLog logs[] = {
      {"one_way-client", "client", "one_way_loop", {{"ping-restart", 4}}, 0},
      {"one_way-server", "server", "one_way_loop", {{"new_session", 3}}, 0},
      {"refused_credentials-client", "client", "auth_failure", {{"auth-failure", 2}}, 0},
      {"refused_credentials-server", "server", "auth_failure", {{"new_session", 1}}, 0},
      {"shared_common_name-client", "client", "unknown", {{"ping-restart", 5}}, 0},
      {"shared_common_name-server", "server", "shared_common_name", {{"new_session", 9}}, 0},
      {"fixed_port-server", "server", "unknown", {{"new_session", 2}}, 0},
      {"keepalive_missing-client", "client", "keepalive_mismatch", {{"ping-restart", 3}}, 0},
      {"keepalive_missing-server", "server", "keepalive_mismatch", {{"new_session", 3}}, 0},
      {"keepalive_too_slow-client", "client", "keepalive_mismatch", {{"ping-restart", 1}}, 0},
      {"server_killed-client", "client", "server_restart", {{"ping-restart", 1}}, 0},
      {"sigusr1-client", "client", "healthy", {{"signal", 1}}, 0},
      {"sigusr1-server", "server", "unknown", {{"new_session", 1}}, 0},
      {"soft_resets-client", "client", "healthy", json::object(), 3},
      {"wrong_reply_source-client", "client", "wrong_reply_source", json::object(), 0},
  };
  for (const auto& log : logs) {
    const json found = analyze(testing_support::read_data(std::string("lab-2.6.14/") + log.file + ".log"));
    EXPECT_EQ(found["role"], log.role) << log.file;
    EXPECT_EQ(found["diagnosis"], log.diagnosis) << log.file << ": " << found["why"];
    EXPECT_EQ(found["reconnects_by_reason"], log.reconnects_by_reason) << log.file;
    EXPECT_EQ(found["soft_resets"], log.soft_resets) << log.file;
  }
}

std::set<std::string> keys_of(const json& object) {
  std::set<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

TEST(Analysis, TheSeedsExcerptIsOneReconnectWithOneEndpointChange) {
  const json found = analyze(testing_support::read_data("seed.log"));  // its addresses are placeholders
  EXPECT_EQ(found["role"], "server");
  EXPECT_EQ(found["reconnects"], 1);
  EXPECT_EQ(found["endpoint_changes"], 1);
  EXPECT_EQ(found["handshakes"], (json{{"started", 2}, {"completed", 2}, {"failed", 0}}));
  EXPECT_EQ(found["clients"], json::array({{{"common_name", "clientname"},
                                            {"sessions", 2},
                                            {"reconnects", 1},
                                            {"endpoint_changes", 1},
                                            {"diagnosis", "unknown"}}}));
  EXPECT_EQ(found["diagnosis"], "unknown") << "one return is no pattern yet";
}

TEST(Analysis, KeysAreTheOnesThatProgramsWereToldOf) {
  const std::set<std::string> keys{"role",
                                   "sessions",
                                   "reconnects",
                                   "reconnects_by_reason",
                                   "endpoint_changes",
                                   "soft_resets",
                                   "handshakes",
                                   "diagnosis",
                                   "why",
                                   "clients"};
  for (const char* file : {"v2.6.22/c.log", "v2.6.22/s.log", "seed.log"})
    EXPECT_EQ(keys_of(analyze(testing_support::read_data(file))), keys) << file;
  EXPECT_EQ(keys_of(analyze("")), keys);
  const json server = analyze(testing_support::read_data("v2.6.22/s.log"));
  EXPECT_EQ(keys_of(server["handshakes"]), (std::set<std::string>{"started", "completed", "failed"}));
  EXPECT_EQ(keys_of(server["clients"][0]), (std::set<std::string>{"common_name", "sessions", "reconnects",
                                                                  "endpoint_changes", "diagnosis"}));
}

/// Lines of a client, each so many seconds after the one before.
class ClientLog {
 public:
  ClientLog& at(int seconds_later, const std::string& line) {
    second_ += seconds_later;
    const std::chrono::sys_seconds time{std::chrono::seconds(second_)};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(time - day);
    char head[32];
    std::snprintf(head, sizeof head, "%04d-%02u-%02u %02ld:%02ld:%02ld ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<long>(clock.hours().count()), static_cast<long>(clock.minutes().count()),
                  static_cast<long>(clock.seconds().count()));
    text_ += head + line + "\n";
    return *this;
  }
  ClientLog& attempt(int seconds_later) {
    return at(seconds_later, "UDPv4 link remote: [AF_INET]192.0.2.1:1194");
  }
  ClientLog& session(int lifetime) {
    attempt(1)
        .at(0, "TLS: Initial packet from [AF_INET]192.0.2.1:1194, sid=1 2")
        .at(1, "[server] Peer Connection Initiated with [AF_INET]192.0.2.1:1194")
        .at(0, "Initialization Sequence Completed")
        .at(0, "Timers: ping 10, ping-restart 60")
        .at(lifetime, "[server] Inactivity timeout (--ping-restart), restarting");
    return at(0, "SIGUSR1[soft,ping-restart] received, process restarting");
  }
  const std::string& text() const { return text_; }
  long now() const { return second_; }

 private:
  long second_ = 1'780'000'000;
  std::string text_;
};

TEST(Analysis, AFullBlockIsNoReturnHoweverRarelyItIsTried) {
  ClientLog log;
  log.session(5000);
  const auto connected = log.now() - 5000;
  for (int pause : {1, 1, 1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}) {
    log.attempt(pause).at(
        60,
        "TLS Error: TLS key negotiation failed to occur within 60 seconds (check your network connectivity)");
    log.at(0, "TLS Error: TLS handshake failed")
        .at(0, "SIGUSR1[soft,tls-error] received, process restarting");
    log.at(0, "Restart pause, " + std::to_string(pause) + " second(s)");
  }
  EXPECT_EQ(analyze(log.text())["diagnosis"], "no_return");
  log.attempt(300);
  const json found = analyze(log.text());
  EXPECT_EQ(found["diagnosis"], "no_return") << "also while it tries once more";
  EXPECT_EQ(found["reconnects_by_reason"], (json{{"ping-restart", 1}, {"tls-error", 15}}));
  testing_support::Told told;
  told(log.text());
  EXPECT_EQ(told.state().last_connected, WallTime(std::chrono::seconds(connected)))
      << "how long it has been away";
}

TEST(Analysis, ALoopIsToldFromAClockThatJumpsAndFromADeviceThatSleeps) {
  ClientLog loop;
  loop.session(5000).session(64).session(64).session(65);
  EXPECT_EQ(analyze(loop.text())["diagnosis"], "one_way_loop");
  ClientLog jumps;  // its clock is set while sessions last
  jumps.session(5000).session(64 + 3600).session(64 - 7200).session(64 + 86'400);
  EXPECT_EQ(analyze(jumps.text())["diagnosis"], "unknown");
  ClientLog sleeps;  // and restarts when it wakes
  sleeps.session(5000).session(400).session(1900).session(29'000).session(700);
  EXPECT_EQ(analyze(sleeps.text())["diagnosis"], "unknown");
  ClientLog both = loop;  // a jump amid a loop delays the diagnosis, and no more
  both.session(64 + 3600).session(64).session(64).session(64);
  EXPECT_EQ(analyze(both.text())["diagnosis"], "one_way_loop");
}

TEST(Analysis, AnEmptyOrForeignTextIsUnknown) {
  for (const std::string text : {"", "\n\n", "not a log at all\n", "Tue Nov"}) {
    const json found = analyze(text);
    EXPECT_EQ(found["role"], "unknown") << text;
    EXPECT_EQ(found["diagnosis"], "unknown") << text;
    EXPECT_EQ(found["reconnects"], 0) << text;
  }
  EXPECT_EQ(analyze("x\n", Role::server)["role"], "server");
}

TEST(LogArchive, ReadsPlainAndCompressedAlikeAndNamesWhatItCannotRead) {
  const std::string plain = std::string(UPLINK_TEST_DATA) + "/openvpn/v2.6.22/c.log";
  char packed[] = "/tmp/uplink_archive_XXXXXX";
  const int fd = mkstemp(packed);
  const std::string text = testing_support::read_data("v2.6.22/c.log");
  auto* out = gzdopen(fd, "wb");
  ASSERT_EQ(gzwrite(out, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ASSERT_EQ(gzclose(out), Z_OK);
  const auto read = [](const std::string& file, std::string& into) {
    return read_log_archive(file, [&](std::string_view piece) { into += piece; });
  };
  std::string from_plain, from_packed, from_damaged;
  EXPECT_TRUE(read(plain, from_plain));
  EXPECT_TRUE(read(packed, from_packed));
  EXPECT_EQ(from_plain, text);
  EXPECT_EQ(from_packed, text);
  ASSERT_EQ(truncate(packed, 200), 0);
  const auto damaged = read(packed, from_damaged);
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().find("damaged or cut short"), std::string::npos) << damaged.error();
  unlink(packed);
  EXPECT_NE(read("/nowhere/c.log", from_damaged).error().find("/nowhere/c.log: cannot be opened"),
            std::string::npos);
  EXPECT_NE(read("/tmp", from_damaged).error().find("is a directory"), std::string::npos);
}

}  // namespace
}  // namespace ue::openvpn
