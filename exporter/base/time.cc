#include "base/time.h"

#include <fmt/format.h>
#include <time.h>

#include <cmath>

namespace ue {

namespace {

Nanos read_clock(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return std::chrono::seconds(ts.tv_sec) + Nanos(ts.tv_nsec);
}

std::string two_units(std::int64_t total, std::int64_t unit, const char* big, std::int64_t small_unit,
                      const char* small) {
  const auto rest = total % unit / small_unit;
  return rest == 0 ? fmt::format("{}{}", total / unit, big)
                   : fmt::format("{}{}{}{}", total / unit, big, rest, small);
}

std::string positive_duration(double s) {
  if (s < 1e-5) return "<0.01ms";
  if (s < 0.01) return fmt::format("{:.2g}ms", s * 1e3);
  if (s < 0.9995) return fmt::format("{:.0f}ms", s * 1e3);
  if (s < 9.95) return fmt::format("{:.3g}s", std::round(s * 10) / 10);
  const auto whole = static_cast<std::int64_t>(s + 0.5);
  if (whole < 60) return fmt::format("{}s", whole);
  if (whole < 3600) return two_units(whole, 60, "m", 1, "s");
  if (whole < 86400) return two_units(whole, 3600, "h", 60, "m");
  return two_units(whole, 86400, "d", 3600, "h");
}

}  // namespace

Now read_clocks() {
  return Now{Instant(read_clock(CLOCK_MONOTONIC)), WallTime(read_clock(CLOCK_REALTIME)),
             read_clock(CLOCK_BOOTTIME)};
}

std::string format_duration(Nanos d) {
  if (d == Nanos(0)) return "0s";
  return fmt::format("{}{}", d < Nanos(0) ? "-" : "", positive_duration(std::abs(to_seconds(d))));
}

}  // namespace ue
