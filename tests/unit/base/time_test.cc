#include "base/time.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace ue {
namespace {

using namespace std::chrono_literals;

TEST(FormatDuration, IsShort) {
  const std::vector<std::pair<Nanos, std::string>> rows = {
      {0s, "0s"},
      {1ns, "<0.01ms"},
      {350us, "0.35ms"},
      {1500us, "1.5ms"},
      {9990us, "10ms"},
      {350ms, "350ms"},
      {999ms, "999ms"},
      {999'600us, "1s"},
      {1s, "1s"},
      {2500ms, "2.5s"},
      {4s, "4s"},
      {9940ms, "9.9s"},
      {9960ms, "10s"},
      {59s, "59s"},
      {59'400ms, "59s"},
      {59'900ms, "1m"},
      {60s, "1m"},
      {190s, "3m10s"},
      {3599'900ms, "1h"},
      {2h + 5min + 59s, "2h5m"},
      {23h + 59min + 59'900ms, "1d"},
      {76h + 30min, "3d4h"},
      {-4s, "-4s"},
      {-350ms, "-350ms"},
      {-59'900ms, "-1m"},
      {Nanos::max(), "106751d23h"},
      {Nanos::min(), "-106751d23h"},
  };
  for (const auto& [duration, text] : rows)
    EXPECT_EQ(format_duration(duration), text) << duration.count() << " ns";
}

TEST(Clocks, AreRead) {
  const Now a = read_clocks();
  const Now b = read_clocks();
  EXPECT_GT(a.mono, Instant{});
  EXPECT_GE(b.mono, a.mono);
  EXPECT_GE(b.boot, a.boot);
  EXPECT_GT(to_unix_seconds(a.wall), 1.7e9);
  EXPECT_EQ(from_seconds(1.5), Nanos(1'500'000'000));
  EXPECT_DOUBLE_EQ(to_seconds(250ms), 0.25);
}

}  // namespace
}  // namespace ue
