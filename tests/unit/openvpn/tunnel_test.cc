#include "openvpn/tunnel.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support.h"

namespace ue::openvpn {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(Tunnel, LearnsTheStateFromTheLogAndCountsFromThenOn) {
  std::string path = (fs::temp_directory_path() / "tunnel.XXXXXX").string();
  const fs::path dir = mkdtemp(path.data());
  const fs::path log = dir / "client.log";
  const std::string recorded = testing_support::read_data("v2.6.22/c.log");
  // The recording up to the first session's end, then the rest of it as it happens.
  const auto cut = recorded.find("2026-11-23 08:53:16");
  std::ofstream(log, std::ios::binary) << recorded.substr(0, cut);
  const timespec times[2] = {{1795423983, 0}, {1795423983, 0}};  // 08:53:03
  ASSERT_EQ(utimensat(AT_FDCWD, log.c_str(), times, 0), 0);

  config::Tunnel config;
  config.name = "cloud";
  config.log = log.string();
  Tunnel tunnel(config);
  EXPECT_FALSE(tunnel.sources().at(Source::log).up);
  const Now now{Instant(std::chrono::seconds(5)), WallTime(std::chrono::seconds(1795423990)), {}};
  EXPECT_FALSE(tunnel.poll(now));
  EXPECT_TRUE(tunnel.sources().at(Source::log).up);
  EXPECT_EQ(tunnel.name(), "cloud");
  EXPECT_EQ(tunnel.state().state, State::connected);
  EXPECT_EQ(tunnel.state().sessions, 0u);
  EXPECT_EQ(tunnel.state().last_connected, WallTime(std::chrono::seconds(1795423981)));
  EXPECT_EQ(tunnel.state().keepalive_restart, std::chrono::seconds(8));
  EXPECT_EQ(tunnel.finding().diagnosis, Diagnosis::unknown) << "connected for less than the keepalive limit";

  // Three silences in a row, each soon after a handshake that passed.
  std::size_t loop = cut;
  for (int i = 0; i < 3; ++i) loop = recorded.find("process restarting\n", loop) + 19;
  std::ofstream(log, std::ios::binary | std::ios::app) << recorded.substr(cut, loop - cut);
  EXPECT_FALSE(tunnel.poll(now));
  EXPECT_EQ(tunnel.finding().diagnosis, Diagnosis::one_way_loop) << tunnel.finding().why;

  std::ofstream(log, std::ios::binary | std::ios::app) << recorded.substr(loop);
  const timespec later[2] = {{1795424134, 0}, {1795424134, 0}};
  ASSERT_EQ(utimensat(AT_FDCWD, log.c_str(), later, 0), 0);
  EXPECT_FALSE(tunnel.poll(now));
  EXPECT_EQ(tunnel.state().reconnect_count(Reason::ping_restart, From::connected), 6u);
  EXPECT_EQ(tunnel.state().reconnect_count(Reason::tls_error, From::wait), 3u);
  EXPECT_EQ(tunnel.state().sessions, 7u);
  EXPECT_EQ(tunnel.state().session_durations.count(), 8u);
  EXPECT_EQ(tunnel.state().session_durations.sum, 99);
  EXPECT_EQ(tunnel.state().last_disconnected, WallTime(std::chrono::seconds(1795424133)));
  fs::remove_all(dir);
}

TEST(Tunnel, SaysWhichSourcesItCannotRead) {
  config::Tunnel config;
  config.name = "cloud";
  config.journal = "openvpn-client@cloud.service";
  Tunnel tunnel(config);
  EXPECT_FALSE(tunnel.poll({}));
  ASSERT_EQ(tunnel.sources().size(), 1u);
  const SourceState& journal = tunnel.sources().at(Source::journal);
  EXPECT_FALSE(journal.up);
  EXPECT_THAT(journal.remedy, HasSubstr("`log`"));
  EXPECT_EQ(journal.errors.at("unsupported"), 1u);
}

}  // namespace
}  // namespace ue::openvpn
