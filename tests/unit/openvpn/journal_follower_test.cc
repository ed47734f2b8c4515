#include "openvpn/journal_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace ue::openvpn {
namespace {

#ifdef UPLINK_HAVE_SYSTEMD

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kConverter = "/lib/systemd/systemd-journal-remote";

/// A directory with a real journal in it, written by systemd's own converter, and what a follower made of it.
class Journal : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(fs::exists(kConverter)) << "install it: apt-get install systemd-journal-remote";
  }
  ~Journal() override { fs::remove_all(dir_); }

  static fs::path make_directory() {
    std::string path = (fs::temp_directory_path() / "journal.XXXXXX").string();
    return mkdtemp(path.data());
  }

  /// A line that stands for the number: the client's remote is at that port.
  static std::string line(int n) { return "UDPv4 link remote: [AF_INET]10.0.0.1:" + std::to_string(n); }

  /// One more entry for the next write(), in systemd's export format; its second is the next one.
  void entry(const std::string& message, const std::string& unit = "openvpn-client@cloud.service",
             const std::string& more = {}) {
    ++second_;
    const std::uint64_t size = message.size();
    std::string length;  // little-endian, as the format has it
    for (int shift = 0; shift < 64; shift += 8) length += static_cast<char>(size >> shift & 0xff);
    pending_ += "__REALTIME_TIMESTAMP=" + std::to_string(1'790'000'000 + second_) + "000000\n" +
                "__MONOTONIC_TIMESTAMP=" + std::to_string(second_) + "000000\n" +
                "_BOOT_ID=0123456789abcdef0123456789abcdef\n_SYSTEMD_UNIT=" + unit + "\n" + more +
                "MESSAGE\n" + length + message + "\n\n";
  }
  void write(const std::string& name = "system.journal") {
    const fs::path in = dir_ / "entries";
    std::ofstream(in, std::ios::binary) << pending_;
    pending_.clear();
    const std::string command = std::string(kConverter) + " -o " + (dir_ / name).string() + " " +
                                in.string() + " > " + (dir_ / "said").string() + " 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << std::ifstream(dir_ / "said").rdbuf();
    fs::remove(in);
  }

  JournalFollower follower(JournalFollower::Limits limits = {}) {
    return JournalFollower("cloud", "openvpn-client@cloud", limits, dir_.string());
  }
  /// "7", with a leading '~' where it was replayed.
  std::vector<std::string> poll(JournalFollower& from) {
    std::vector<std::string> seen;
    more_ = from.poll([&](const Event& event) {
      EXPECT_EQ(event.source, Source::journal);
      const auto port = event.endpoint.substr(event.endpoint.rfind(':') + 1);
      seen.push_back((event.replayed ? "~" : "") + std::string(port));
      at_ = event.at;
    });
    return seen;
  }

  fs::path dir_ = make_directory();
  std::string pending_;
  std::uint64_t second_ = 0;
  bool more_ = false;
  std::optional<WallTime> at_;
};

TEST_F(Journal, ReplaysTheNewestAndThenReadsWhatIsNew) {
  entry(line(1));
  entry("nothing of interest");
  entry(line(2));
  write();
  auto f = follower();
  EXPECT_THAT(poll(f), ElementsAre("~1", "~2"));
  EXPECT_EQ(at_, WallTime(std::chrono::seconds(1'790'000'003)));
  EXPECT_TRUE(f.state().up);
  EXPECT_EQ(f.state().lines, 3u);
  EXPECT_EQ(f.state().events, 2u);
  EXPECT_THAT(poll(f), IsEmpty());
  entry(line(3));
  write();
  EXPECT_THAT(poll(f), ElementsAre("3"));
  EXPECT_THAT(poll(f), IsEmpty());
}

TEST_F(Journal, OtherUnitsAreNotHeard) {
  entry(line(1), "openvpn-client@other.service");
  entry(line(2));
  entry(line(3), "openvpn-client@cloud.service.evil");
  write();
  auto f = follower();
  EXPECT_THAT(poll(f), ElementsAre("~2"));
}

TEST_F(Journal, AUnitThatSaysNothingAtFirstIsNewLater) {
  entry(line(1), "ssh.service");
  write();
  auto f = follower();
  EXPECT_THAT(poll(f), IsEmpty());
  EXPECT_TRUE(f.state().up);
  entry(line(2));
  write();
  EXPECT_THAT(poll(f), ElementsAre("2"));
}

TEST_F(Journal, ReadsBackByEntriesAndByOctets) {
  for (int n = 1; n <= 5; ++n) entry(line(n));
  write();
  auto few = follower({.read_back_entries = 2});
  EXPECT_THAT(poll(few), ElementsAre("~4", "~5"));
  auto small = follower({.read_back = 3 * line(1).size()});
  EXPECT_THAT(poll(small), ElementsAre("~3", "~4", "~5"));
}

TEST_F(Journal, StopsWhereItsBudgetEndsAndGoesOnThere) {
  for (int n = 1; n <= 3; ++n) entry(line(n));
  write();
  auto f = follower({.budget_entries = 2});
  EXPECT_THAT(poll(f), ElementsAre("~1", "~2"));
  EXPECT_TRUE(more_);
  EXPECT_THAT(poll(f), ElementsAre("~3"));
  EXPECT_FALSE(more_);
}

TEST_F(Journal, FollowsIntoTheNextFile) {
  entry(line(1));
  write();
  auto f = follower();
  EXPECT_THAT(poll(f), ElementsAre("~1"));
  entry(line(2));
  write();
  fs::rename(dir_ / "system.journal", dir_ / "system@1.journal");
  entry(line(3));
  write();
  EXPECT_THAT(poll(f), ElementsAre("2", "3"));
  fs::remove(dir_ / "system@1.journal");
  entry(line(4));
  write();
  EXPECT_THAT(poll(f), ElementsAre("4"));
}

TEST_F(Journal, WithoutAJournalSaysSoOnceAndHearsAllOfTheOneThatComes) {
  auto f = follower();
  EXPECT_THAT(poll(f), IsEmpty());
  EXPECT_THAT(poll(f), IsEmpty());
  EXPECT_FALSE(f.state().up);
  EXPECT_EQ(f.state().errors.at("no_journal"), 1u);
  EXPECT_THAT(f.state().remedy, HasSubstr(dir_.string()));
  entry(line(1));
  write();
  EXPECT_THAT(poll(f), ElementsAre("1"));
  EXPECT_TRUE(f.state().up);
  EXPECT_THAT(f.state().remedy, IsEmpty());

  JournalFollower nowhere("cloud", "openvpn-client@cloud", {}, (dir_ / "missing").string());
  EXPECT_THAT(poll(nowhere), IsEmpty());
  EXPECT_EQ(nowhere.state().errors.at("no_journal"), 1u);
}

TEST_F(Journal, WithoutPermissionNamesTheGroup) {
  entry(line(1));
  write();
  fs::permissions(dir_ / "system.journal", fs::perms::none);
  fs::permissions(dir_, fs::perms::all);
  auto f = follower();
  const bool root = geteuid() == 0;
  ASSERT_TRUE(!root || seteuid(65534) == 0);
  const auto seen = poll(f);
  ASSERT_TRUE(!root || seteuid(0) == 0);
  EXPECT_THAT(seen, IsEmpty());
  EXPECT_EQ(f.state().errors.at("permission"), 1u);
  EXPECT_THAT(f.state().remedy, HasSubstr("usermod -aG systemd-journal"));
}

TEST_F(Journal, MessagesOfAnySizeAndContent) {
  const std::string name(64 * 1024 - 60, 'x');
  std::string largest = "[" + name + "] Peer Connection Initiated with [AF_INET]10.0.0.1:1";
  largest.insert(1, 64 * 1024 - largest.size(), 'y');
  entry(largest);
  entry("[z" + largest.substr(1));
  entry("[\xff\xfe\n\x01] Peer Connection Initiated with [AF_INET]10.0.0.1:3");
  entry("");
  entry(line(4));
  write();
  auto f = follower();
  EXPECT_THAT(poll(f), ElementsAre("~1", "~3", "~4"));
  EXPECT_EQ(f.state().errors.at("overlong_line"), 1u);
}

TEST_F(Journal, TakesTheSendersTimeWhereItIsKnown) {
  entry(line(1), "openvpn-client@cloud.service", "_SOURCE_REALTIME_TIMESTAMP=1780000000250000\n");
  write();
  auto f = follower();
  EXPECT_THAT(poll(f), ElementsAre("~1"));
  EXPECT_EQ(at_, WallTime(std::chrono::milliseconds(1'780'000'000'250)));
}

#else

TEST(Journal, WithoutLibsystemdSaysWhatToDo) {
  JournalFollower f("cloud", "openvpn-client@cloud");
  EXPECT_FALSE(f.poll([](const Event&) {}));
  EXPECT_EQ(f.state().errors.at("unsupported"), 1u);
  EXPECT_THAT(f.state().remedy, testing::HasSubstr("configure `log`"));
}

#endif

}  // namespace
}  // namespace ue::openvpn
