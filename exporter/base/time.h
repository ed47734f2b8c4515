#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace ue {

using Nanos = std::chrono::nanoseconds;
using Seconds = std::chrono::duration<double>;

/// The clock of everything that measures: CLOCK_MONOTONIC. It has no now(): the core is always told the time.
struct MonotonicClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Nanos;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicClock::time_point;

/// Nanoseconds since the Unix epoch (CLOCK_REALTIME); only for timestamps on the wire and for people.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Nanos>;

/// The three clocks read at one moment. Shells take one per wake-up and hand it to the core.
struct Now {
  Instant mono{};
  WallTime wall{};
  Nanos boot{};  ///< CLOCK_BOOTTIME; runs ahead of mono by the time spent suspended.
};

/// Reads the machine's clocks. Only shells (sockets, loops, main) call this.
Now read_clocks();

inline double to_seconds(Nanos d) { return std::chrono::duration<double>(d).count(); }
inline double to_unix_seconds(WallTime t) { return to_seconds(t.time_since_epoch()); }
inline Nanos from_seconds(double s) { return Nanos(static_cast<std::int64_t>(s * 1e9)); }

/// "350ms", "4s", "2.5s", "3m10s", "2h5m", "3d4h": short, for sentences.
std::string format_duration(Nanos d);

}  // namespace ue
