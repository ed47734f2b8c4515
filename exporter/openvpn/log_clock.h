#pragma once
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace ue::openvpn {

/// The time that a log line carries, as it is written.
struct LogTime {
  enum class Zone : std::uint8_t {
    absolute,       ///< `value` is since the Unix epoch
    local,          ///< of the writer's unknown zone; `value` reads it as if it were UTC
    local_no_year,  ///< the same, in the year 2000 (syslog's short form)
  };
  Nanos value{};
  Zone zone = Zone::local;
  auto operator<=>(const LogTime&) const = default;
};

/// Turns the zone-less times of OpenVPN's logs into wall time, without knowing the writer's zone: the newest
/// line of a file was written when the file was last modified, and zones are whole quarters of an hour. Pure;
/// a follower owns one and shows it the end of the file before it reads lines.
class LogClock {
 public:
  LogClock() = default;
  /// A clock that takes local times as UTC, for judging a log by itself.
  static LogClock assume_utc();

  /// `newest` is the time of the last line, `modified` the file's. Ignored where they are further apart than
  /// zones are (-12 h to +14 h): the file is a copy.
  void observe(const LogTime& newest, WallTime modified);

  /// Nothing while the zone is unknown.
  std::optional<WallTime> resolve(const LogTime& time) const;

 private:
  std::optional<Nanos> offset_;  ///< east of UTC
  WallTime reference_{};         ///< of the last observation; gives short times their year
};

}  // namespace ue::openvpn
