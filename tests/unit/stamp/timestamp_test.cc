#include "stamp/timestamp.h"

#include <gtest/gtest.h>

namespace ue::stamp {
namespace {

using std::chrono::seconds;

WallTime unix_time(std::int64_t s, std::int64_t ns = 0) { return WallTime(seconds(s) + Nanos(ns)); }

TEST(NtpTime, KnownDates) {
  EXPECT_EQ(NtpTime::from(unix_time(0)), (NtpTime{2208988800, 0}));
  EXPECT_EQ(NtpTime::from(unix_time(1785002496, 500'000'000)), (NtpTime{3993991296, 0x80000000}));
}

TEST(NtpTime, KeepsEveryNanosecond) {
  for (const std::int64_t ns : {0, 1, 2, 3, 499'999'999, 500'000'000, 999'999'998, 999'999'999}) {
    const auto t = unix_time(1'790'000'000, ns);
    EXPECT_EQ(NtpTime::from(t).to_wall(), t) << ns;
  }
}

// 2036-02-07 06:28:16 UTC: the 32 bits of seconds start anew.
TEST(NtpTime, CrossesIntoEraOne) {
  const auto last = unix_time(2'085'978'495, 999'999'999);
  const auto first = unix_time(2'085'978'496);
  EXPECT_EQ(NtpTime::from(last).seconds, 0xffffffff);
  EXPECT_EQ(NtpTime::from(first), (NtpTime{0, 0}));
  EXPECT_EQ(NtpTime::from(last).to_wall(), last);
  EXPECT_EQ(NtpTime::from(first).to_wall(), first);
}

TEST(NtpTime, BeforeTheUnixEpochTheFractionStaysPositive) {
  const auto t = unix_time(-1, 250'000'000);
  EXPECT_EQ(NtpTime::from(t), (NtpTime{2208988799, 0x40000000}));
}

TEST(ErrorEstimate, EveryValueSurvives) {
  for (std::uint32_t wire = 0; wire <= 0xffff; ++wire) {
    ASSERT_EQ(ErrorEstimate::decode(static_cast<std::uint16_t>(wire)).encode(), wire);
  }
}

TEST(ErrorEstimate, FieldsOfAnExample) {
  const auto e = ErrorEstimate::decode(0x9240);
  EXPECT_TRUE(e.synchronised);
  EXPECT_FALSE(e.ptp);
  EXPECT_EQ(e.scale, 18);
  EXPECT_EQ(e.multiplier, 64);
  EXPECT_TRUE(ErrorEstimate::decode(0x4001).ptp);
  EXPECT_FALSE(ErrorEstimate::decode(0x9200).valid());
}

}  // namespace
}  // namespace ue::stamp
