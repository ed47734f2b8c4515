#include "openvpn/log_clock.h"

namespace ue::openvpn {

namespace {

using namespace std::chrono;

using Quarters = duration<std::int64_t, std::ratio<900>>;

/// The year that brings a short time nearest to `reference`: a line of 31 December is read in January too.
Nanos with_year(Nanos short_time, WallTime reference) {
  const auto day = floor<days>(sys_time<Nanos>(short_time));
  const Nanos of_day = short_time - day.time_since_epoch();
  const year_month_day date(day);
  const year around = year_month_day(floor<days>(reference)).year();
  Nanos best{};
  bool found = false;
  for (const year y : {around - years(1), around, around + years(1)}) {
    const year_month_day candidate(y, date.month(), date.day());
    if (!candidate.ok()) continue;  // 29 February
    const Nanos value = sys_days(candidate).time_since_epoch() + of_day;
    const auto distance = [&](Nanos v) { return abs(v - reference.time_since_epoch()); };
    if (!found || distance(value) < distance(best)) best = value;
    found = true;
  }
  return best;
}

}  // namespace

LogClock LogClock::assume_utc() {
  LogClock clock;
  clock.offset_ = Nanos(0);
  return clock;
}

void LogClock::observe(const LogTime& newest, WallTime modified) {
  reference_ = modified;
  if (newest.zone == LogTime::Zone::absolute) return;
  const Nanos civil = newest.zone == LogTime::Zone::local ? newest.value : with_year(newest.value, modified);
  const Nanos offset = round<Quarters>(civil - modified.time_since_epoch());
  if (offset >= hours(-12) && offset <= hours(14)) offset_ = offset;
}

std::optional<WallTime> LogClock::resolve(const LogTime& time) const {
  if (time.zone == LogTime::Zone::absolute) return WallTime(time.value);
  if (!offset_) return std::nullopt;
  return WallTime((time.zone == LogTime::Zone::local ? time.value : with_year(time.value, reference_)) -
                  *offset_);
}

}  // namespace ue::openvpn
