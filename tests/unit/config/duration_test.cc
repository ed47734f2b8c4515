#include <gtest/gtest.h>

#include <vector>

#include "config/config.h"

namespace ue::config {
namespace {

using namespace std::chrono_literals;

TEST(Duration, AsInPrometheus) {
  const std::vector<std::pair<std::string, Nanos>> rows = {
      {"0", 0s},
      {"0s", 0s},
      {"500ms", 500ms},
      {"30s", 30s},
      {"5m", 5min},
      {"90m", 90min},
      {"1h", 1h},
      {"1d", 24h},
      {"2w", 14 * 24h},
      {"1y", 365 * 24h},
      {"1m30s", 90s},
      {"1h0m5ms", 1h + 5ms},
      {"1y2w3d4h5m6s7ms", (365 + 14 + 3) * 24h + 4h + 5min + 6s + 7ms},
      {"007s", 7s},
      {"292y", 292 * 365 * 24h},
  };
  for (const auto& [text, duration] : rows) EXPECT_EQ(parse_duration(text), duration) << text;
}

TEST(Duration, RefusesEverythingElse) {
  for (const auto* text : {"",
                           "1",
                           "00",
                           "s",
                           "ms",
                           "-1s",
                           "+1s",
                           "1.5s",
                           "1 s",
                           " 1s",
                           "1s ",
                           "1S",
                           "1sec",
                           "1s1m",
                           "1s1s",
                           "1ms1s",
                           "5m5",
                           "1us",
                           "1µs",
                           "293y",
                           "99999999999999999999s",
                           "9223372036855ms1y",
                           "1e3s",
                           "0x1s",
                           "1m,30s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  EXPECT_FALSE(parse_duration(std::string_view("1s\0", 3)));
}

TEST(Duration, TextIsTheInverse) {
  const std::vector<std::pair<Nanos, std::string>> rows = {
      {0s, "0s"},        {1ms, "1ms"},        {100ms, "100ms"}, {1500ms, "1s500ms"}, {60s, "1m"},
      {90s, "1m30s"},    {3600s, "1h"},       {24h, "1d"},      {7 * 24h, "1w"},     {8 * 24h, "8d"},
      {365 * 24h, "1y"}, {366 * 24h, "366d"}, {600s, "10m"},    {1h + 1ms, "1h1ms"},
  };
  for (const auto& [duration, text] : rows) EXPECT_EQ(duration_text(duration), text);
  for (std::int64_t ms = 1; ms < 4'000'000'000'000; ms = ms * 3 + 1) {
    const Nanos d = std::chrono::milliseconds(ms);
    EXPECT_EQ(parse_duration(duration_text(d)), d) << duration_text(d);
  }
}

}  // namespace
}  // namespace ue::config
