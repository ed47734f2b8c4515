#include "base/process_stats.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>

namespace ue {
namespace {

TEST(ProcessStats, TellsOfThisProcess) {
  const auto p = read_process_stats();
  EXPECT_GT(p.resident_bytes, 1U << 20);
  EXPECT_GT(p.virtual_bytes, p.resident_bytes);
  EXPECT_GE(p.threads, 1U);
  EXPECT_GE(p.max_fds, p.open_fds);
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_LE(p.start_time, now + 1);
  EXPECT_GT(p.start_time, now - 3600);
}

TEST(ProcessStats, CountsDescriptors) {
  const auto before = read_process_stats().open_fds;
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(read_process_stats().open_fds, before + 1);
  ::close(fd);
  EXPECT_EQ(read_process_stats().open_fds, before);
}

TEST(ProcessStats, CountsProcessorTime) {
  const auto before = read_process_stats().cpu_seconds;
  // The kernel counts in hundredths of a second.
  while (static_cast<double>(std::clock()) / CLOCKS_PER_SEC < before + 0.05) {
  }
  EXPECT_GT(read_process_stats().cpu_seconds, before);
}

}  // namespace
}  // namespace ue
