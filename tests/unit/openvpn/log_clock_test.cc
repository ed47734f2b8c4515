#include "openvpn/log_clock.h"

#include <gtest/gtest.h>

namespace ue::openvpn {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Zone = LogTime::Zone;

const WallTime kNoon{seconds(1795435200)};  // 2026-11-23 12:00:00 UTC

LogTime local(Nanos east) { return LogTime{kNoon.time_since_epoch() + east, Zone::local}; }

TEST(LogClock, KnowsNoZoneAtFirst) {
  EXPECT_FALSE(LogClock().resolve(local(Nanos(0))));
  EXPECT_EQ(LogClock().resolve(LogTime{kNoon.time_since_epoch(), Zone::absolute}), kNoon);
  EXPECT_EQ(LogClock::assume_utc().resolve(local(hours(0))), kNoon);
}

TEST(LogClock, LearnsTheZoneFromTheFilesOwnTime) {
  for (const auto east :
       {minutes(0), minutes(540), minutes(345), minutes(-570), minutes(-720), minutes(840)}) {
    LogClock clock;
    // The last line may be some minutes older than the file's time, or a second younger.
    for (const auto late : {seconds(-1), seconds(0), seconds(400)}) {
      clock.observe(local(east), kNoon + late);
      EXPECT_EQ(clock.resolve(local(east)), kNoon) << east.count() << ' ' << late.count();
    }
  }
}

TEST(LogClock, FollowsSummerTime) {
  LogClock clock;
  clock.observe(local(hours(2)), kNoon);
  clock.observe(LogTime{local(hours(1)).value + hours(24), Zone::local}, kNoon + hours(24));
  EXPECT_EQ(clock.resolve(local(hours(1))), kNoon);
}

TEST(LogClock, IgnoresACopiedFile) {
  LogClock clock;
  clock.observe(local(hours(0)), kNoon + hours(72));
  EXPECT_FALSE(clock.resolve(local(hours(0))));
}

TEST(LogClock, GivesShortTimesTheirYear) {
  const Nanos kYear2000{seconds(946684800)};
  const LogTime new_years_eve{kYear2000 + hours(24) * 365 + seconds(10), Zone::local_no_year};
  LogClock clock;
  const WallTime january{seconds(1798761600 + 3600)};  // 2027-01-01 01:00 UTC
  clock.observe(LogTime{kYear2000 + hours(1), Zone::local_no_year}, january);
  EXPECT_EQ(clock.resolve(new_years_eve), january - hours(25) + seconds(10));
}

}  // namespace
}  // namespace ue::openvpn
