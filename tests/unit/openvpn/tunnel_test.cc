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

TEST(Tunnel, SaysWhichSourcesItCannotReadAndGoesOnWithTheOthers) {
  std::string path = (fs::temp_directory_path() / "tunnel.XXXXXX").string();
  const fs::path dir = mkdtemp(path.data());
  const fs::path status = dir / "server.status";
  std::ofstream(status, std::ios::binary) << testing_support::read_data("v2.6.22/s.status2");
  config::Tunnel config;
  config.name = "cloud";
  config.log = (dir / "none.log").string();
  config.status = status.string();
  config.management = "unix:" + (dir / "none.sock").string();
  Tunnel tunnel(config);
  const Now now{Instant(std::chrono::seconds(5)), WallTime(std::chrono::seconds(1795424136)), {}};
  EXPECT_FALSE(tunnel.poll(now));
  ASSERT_EQ(tunnel.sources().size(), 3u);
  EXPECT_EQ(tunnel.sources().at(Source::log).errors.at("missing"), 1u);
  EXPECT_THAT(tunnel.sources().at(Source::management).remedy, HasSubstr("Start OpenVPN"));
  EXPECT_TRUE(tunnel.sources().at(Source::status).up) << tunnel.sources().at(Source::status).remedy;
  EXPECT_EQ(tunnel.state().role, Role::server);
  EXPECT_EQ(tunnel.ledger().all().sessions, 1u);
  EXPECT_EQ(tunnel.state().sessions, 0u) << "it arrived before the watch began";
  EXPECT_TRUE(tunnel.tracker().clients().find("client-one")->is_at("10.99.0.2:38833"));

  const auto reread = [&](const std::string& text, int later_by) {
    std::ofstream(status, std::ios::binary) << text;
    const timespec times[2] = {{1795424136 + later_by, 0}, {1795424136 + later_by, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, status.c_str(), times, 0), 0);
    Now then = now;
    then.mono += std::chrono::seconds(later_by);
    then.wall += std::chrono::seconds(later_by);
    tunnel.poll(then);
  };
  reread("", 2);
  EXPECT_EQ(tunnel.sources().at(Source::status).errors.at("empty"), 1u);
  EXPECT_FALSE(tunnel.sources().at(Source::status).up);
  std::string later = testing_support::read_data("v2.6.22/s.status2");
  reread(later.substr(0, 300), 3);
  EXPECT_EQ(tunnel.sources().at(Source::status).errors.at("torn"), 1u);
  EXPECT_EQ(tunnel.ledger().all().sessions, 1u) << "nothing is lost by a bad reading";
  // The same client from a new port, while we watch.
  const auto replace = [&](const std::string& from, const std::string& to) {
    for (auto at = later.find(from); at != later.npos; at = later.find(from, at + to.size()))
      later.replace(at, from.size(), to);
  };
  replace("08:55:26", "08:55:38");
  replace("1795424126", "1795424138");
  replace("1795424135", "1795424139");
  replace("38833", "40001");
  reread(later, 4);
  EXPECT_TRUE(tunnel.sources().at(Source::status).up);
  EXPECT_EQ(tunnel.state().reconnect_count(Reason::new_session, From::other), 1u);
  EXPECT_EQ(tunnel.state().endpoint_changes, 1u);
  reread(later, 600);
  EXPECT_EQ(tunnel.sources().at(Source::status).errors.at("stale"), 1u);
  EXPECT_FALSE(tunnel.sources().at(Source::status).up);
  fs::remove_all(dir);
}

}  // namespace
}  // namespace ue::openvpn
