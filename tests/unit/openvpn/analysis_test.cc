#include "openvpn/analysis.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

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
