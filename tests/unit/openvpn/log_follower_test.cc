#include "openvpn/log_follower.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace ue::openvpn {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Nobody special while it lives, so that permissions count.
struct Unprivileged {
  Unprivileged() { EXPECT_TRUE(!root || seteuid(65534) == 0); }
  ~Unprivileged() { EXPECT_TRUE(!root || seteuid(0) == 0); }
  Unprivileged(const Unprivileged&) = delete;
  const bool root = geteuid() == 0;
};

/// A directory of its own with a log in it, and what a follower made of the log.
class Follower : public testing::Test {
 protected:
  ~Follower() override { fs::remove_all(dir_); }

  /// A line that stands for the number: the client's remote is at that port.
  static std::string line(int n) {
    return "UDPv4 link remote: [AF_INET]10.0.0.1:" + std::to_string(n) + "\n";
  }

  void append(const std::string& text) { write(text, std::ios::app); }
  void write(const std::string& text, std::ios::openmode mode = std::ios::trunc) {
    std::ofstream(log_, std::ios::binary | std::ios::out | mode) << text;
  }
  void modified(std::int64_t unix_seconds) {
    const timespec times[2] = {{unix_seconds, 0}, {unix_seconds, 0}};
    utimensat(AT_FDCWD, log_.c_str(), times, 0);
  }

  /// "10.0.0.1:7", with a leading '~' where it was replayed.
  std::vector<std::string> poll(LogFollower& follower) {
    std::vector<std::string> seen;
    more_ = follower.poll([&](const Event& event) {
      seen.push_back((event.replayed ? "~" : "") + std::string(event.endpoint.substr(9)));
      at_ = event.at;
    });
    return seen;
  }
  std::vector<std::string> poll() { return poll(follower_); }

  static fs::path make_directory() {
    std::string path = (fs::temp_directory_path() / "follower.XXXXXX").string();
    return mkdtemp(path.data());
  }

  fs::path dir_ = make_directory();
  fs::path log_ = dir_ / "openvpn.log";
  LogFollower follower_{"cloud", log_.string()};
  bool more_ = false;
  std::optional<WallTime> at_;
};

TEST_F(Follower, ReplaysTheEndAndThenReadsWhatIsNew) {
  write(line(1) + line(2));
  EXPECT_THAT(poll(), ElementsAre("~1", "~2"));
  EXPECT_TRUE(follower_.state().up);
  EXPECT_THAT(poll(), IsEmpty());
  append(line(3) + "nothing of interest\n" + line(4));
  EXPECT_THAT(poll(), ElementsAre("3", "4"));
  EXPECT_EQ(follower_.state().lines, 5u);
  EXPECT_EQ(follower_.state().events, 4u);
  EXPECT_THAT(follower_.state().errors, IsEmpty());
}

TEST_F(Follower, ReadsBackWholeLinesOnly) {
  // One octet more or less of history decides whether line 2 is whole.
  write(line(1) + line(2) + line(3));
  const std::size_t two = line(2).size() + line(3).size();
  LogFollower exact("cloud", log_.string(), {.read_back = two});
  EXPECT_THAT(poll(exact), ElementsAre("~2", "~3"));
  LogFollower less("cloud", log_.string(), {.read_back = two - 1});
  EXPECT_THAT(poll(less), ElementsAre("~3"));
}

TEST_F(Follower, KeepsALineThatIsNotCompleteYet) {
  write(line(1));
  poll();
  const std::string text = line(2);
  append(text.substr(0, 10));
  EXPECT_THAT(poll(), IsEmpty());
  append(text.substr(10, 20));
  EXPECT_THAT(poll(), IsEmpty());
  append(text.substr(30) + line(3));
  EXPECT_THAT(poll(), ElementsAre("2", "3"));
}

TEST_F(Follower, ALineThatEndsInOurTimeIsNew) {
  write(line(1) + line(2).substr(0, 10));
  EXPECT_THAT(poll(), ElementsAre("~1"));
  append(line(2).substr(10));
  EXPECT_THAT(poll(), ElementsAre("2"));
}

TEST_F(Follower, WaitsForAFileThatIsMissingAndTakesAllOfItAsNew) {
  EXPECT_THAT(poll(), IsEmpty());
  EXPECT_FALSE(follower_.state().up);
  EXPECT_THAT(follower_.state().remedy, HasSubstr("log-append"));
  EXPECT_THAT(poll(), IsEmpty());
  EXPECT_EQ(follower_.state().errors.at("missing"), 1u);  // one trouble, however often it is looked at
  write(line(1));
  EXPECT_THAT(poll(), ElementsAre("1"));
  EXPECT_TRUE(follower_.state().up);
  EXPECT_THAT(follower_.state().remedy, IsEmpty());
}

TEST_F(Follower, FollowsARotationByRename) {
  write(line(1));
  poll();
  append(line(2));
  fs::rename(log_, dir_ / "openvpn.log.1");
  write(line(3));
  EXPECT_THAT(poll(), ElementsAre("2", "3"));
  append(line(4));
  EXPECT_THAT(poll(), ElementsAre("4"));
  EXPECT_TRUE(follower_.state().up);
}

TEST_F(Follower, StaysWithARenamedFileUntilTheNewOneIsWrittenTo) {
  write(line(1));
  poll();
  fs::rename(log_, dir_ / "openvpn.log.1");
  write("");  // logrotate's `create`; the daemon has not been told
  EXPECT_THAT(poll(), IsEmpty());
  std::ofstream(dir_ / "openvpn.log.1", std::ios::app) << line(2);
  EXPECT_THAT(poll(), ElementsAre("2"));
  EXPECT_TRUE(follower_.state().up);
  std::ofstream(dir_ / "openvpn.log.1", std::ios::app) << line(3);
  append(line(4));
  EXPECT_THAT(poll(), ElementsAre("3", "4"));
}

TEST_F(Follower, SaysThatARenamedFileHasNoSuccessor) {
  write(line(1));
  poll();
  fs::rename(log_, dir_ / "openvpn.log.1");
  std::ofstream(dir_ / "openvpn.log.1", std::ios::app) << line(2);
  EXPECT_THAT(poll(), ElementsAre("2"));
  EXPECT_FALSE(follower_.state().up);
  write(line(3));
  EXPECT_THAT(poll(), ElementsAre("3"));
  EXPECT_TRUE(follower_.state().up);
}

TEST_F(Follower, ReadsARecreatedFileFromItsStart) {
  write(line(1));
  poll();
  fs::remove(log_);
  write(line(2));  // as long as the first
  EXPECT_THAT(poll(), ElementsAre("2"));
}

TEST_F(Follower, SurvivesTruncation) {
  write(line(1) + line(2));
  poll();
  write(line(3));
  EXPECT_THAT(poll(), ElementsAre("3"));
  write("");
  EXPECT_THAT(poll(), IsEmpty());
  append(line(4));
  EXPECT_THAT(poll(), ElementsAre("4"));
}

TEST_F(Follower, NoticesATruncationThatHasOutgrownTheOldSize) {
  write(line(1));
  poll();
  write(line(2) + line(3) + line(4));
  EXPECT_THAT(poll(), ElementsAre("2", "3", "4"));
}

TEST_F(Follower, APartialLineDiesWithTheTruncation) {
  write(line(1));
  poll();
  append("UDPv4 link remo");
  poll();
  write(line(2));
  EXPECT_THAT(poll(), ElementsAre("2"));
}

TEST_F(Follower, SkipsTheHoleThatANonAppendingDaemonLeaves) {
  write(line(1));
  poll();
  write("");
  poll();
  {
    std::ofstream out(log_, std::ios::binary | std::ios::in | std::ios::out);
    out.seekp(std::int64_t{1} << 33);  // 8 GiB of hole, far beyond any budget
    out << line(2);
  }
  EXPECT_THAT(poll(), ElementsAre("2"));
  EXPECT_FALSE(more_);
}

TEST_F(Follower, ReadsNoMoreThanItsBudgetAtOnce) {
  LogFollower small("cloud", log_.string(), {.budget = 200});
  poll(small);  // missing
  std::string text;
  for (int i = 0; i < 50; ++i) text += line(i);
  write(text);
  std::vector<std::string> all;
  int polls = 0;
  do {
    const auto part = poll(small);
    EXPECT_LE(part.size(), 200 / line(0).size() + 1);
    all.insert(all.end(), part.begin(), part.end());
    ++polls;
  } while (more_);
  EXPECT_EQ(all.size(), 50u);
  EXPECT_EQ(all.back(), "49");
  EXPECT_GE(polls, 10);
}

TEST_F(Follower, DropsAndCountsOverlongLines) {
  write(line(1));
  poll();
  append(std::string(300 * 1024, 'x') + "\n" + line(2));
  EXPECT_THAT(poll(), ElementsAre("2"));
  EXPECT_EQ(follower_.state().errors.at("overlong_line"), 1u);
  EXPECT_TRUE(follower_.state().up);
}

TEST_F(Follower, SaysHowToReadAFileOfRoots) {
  write(line(1));
  fs::permissions(log_, fs::perms::none);
  fs::permissions(dir_, fs::perms::all);
  {
    const Unprivileged nobody;
    EXPECT_THAT(poll(), IsEmpty());
    poll();
  }
  EXPECT_FALSE(follower_.state().up);
  EXPECT_THAT(follower_.state().remedy, HasSubstr("setfacl"));
  EXPECT_THAT(follower_.state().remedy, HasSubstr("CAP_DAC_READ_SEARCH"));
  EXPECT_EQ(follower_.state().errors.at("permission"), 1u);
  // Once it may be read its lines are history: they were there before.
  fs::permissions(log_, fs::perms::owner_all);
  EXPECT_THAT(poll(), ElementsAre("~1"));
  EXPECT_TRUE(follower_.state().up);
}

TEST_F(Follower, ANewFileThatMayNotBeReadLeavesTheOldOneOpen) {
  write(line(1));
  poll();
  fs::rename(log_, dir_ / "openvpn.log.1");
  write(line(3));
  fs::permissions(log_, fs::perms::none);
  fs::permissions(dir_, fs::perms::all);
  {
    const Unprivileged nobody;
    poll();
  }
  EXPECT_FALSE(follower_.state().up);
  EXPECT_EQ(follower_.state().errors.at("permission"), 1u);
  fs::permissions(log_, fs::perms::owner_all);
  EXPECT_THAT(poll(), ElementsAre("3"));
}

TEST_F(Follower, TakesRegularFilesOnly) {
  ASSERT_EQ(mkfifo(log_.c_str(), 0600), 0);
  EXPECT_THAT(poll(), IsEmpty());  // and does not hang
  EXPECT_EQ(follower_.state().errors.at("not_a_file"), 1u);
  fs::remove(log_);
  fs::create_directory(log_);
  poll();
  EXPECT_FALSE(follower_.state().up);
}

TEST_F(Follower, TellsTheTimeOfALogInAnotherZone) {
  // Written in Tokyo at 2026-11-23 08:55:38 UTC; the first line is days older than the file.
  write("2026-11-20 17:00:00 " + line(1) + "2026-11-23 17:55:38 " + line(2) + "without a time\n");
  modified(1795424138);
  EXPECT_THAT(poll(), ElementsAre("~1", "~2"));
  EXPECT_EQ(at_, WallTime(seconds(1795424138)));
  append("2026-11-23 17:55:39 " + line(3));
  modified(1795424139);
  poll();
  EXPECT_EQ(at_, WallTime(seconds(1795424139)));
}

}  // namespace
}  // namespace ue::openvpn
