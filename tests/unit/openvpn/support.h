#pragma once
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "openvpn/log_line.h"
#include "openvpn/session_tracker.h"

namespace ue::openvpn::testing_support {

inline std::string read_data(const std::string& name) {
  std::ifstream in(std::string(UPLINK_TEST_DATA) + "/openvpn/" + name, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A tracker that is told lines of a log, with a clock of its own.
struct Told {
  SessionTracker tracker;
  Now now{Instant(std::chrono::seconds(1000)), WallTime(std::chrono::seconds(1'800'000'000)), {}};
  LogClock clock = LogClock::assume_utc();
  bool replayed = false;

  Told& operator()(std::string_view lines) {
    while (!lines.empty()) {
      const auto end = lines.find('\n');
      if (auto event = parse_log_line(lines.substr(0, end), clock)) {
        event->replayed = replayed;
        tracker.apply(*event, now);
      }
      lines = end == lines.npos ? std::string_view{} : lines.substr(end + 1);
    }
    return *this;
  }
  Told& tick(Nanos d) {
    now.mono += d;
    now.wall += d;
    return *this;
  }
  const TunnelState& state() const { return tracker.state(); }
};

}  // namespace ue::openvpn::testing_support
