#pragma once
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "openvpn/client_history.h"
#include "openvpn/event_merger.h"
#include "openvpn/management_session.h"
#include "openvpn/session_tracker.h"
#include "openvpn/traffic_meter.h"
#include "support.h"

namespace ue::openvpn::testing_support {

/// One line of a recorded management conversation: `1795423982.362 >> 'SUCCESS: ...\r'`, `... << COMMAND`.
struct TranscriptLine {
  double at = 0;
  bool from_daemon = false;
  std::string text;  ///< with its line end
};

inline std::vector<TranscriptLine> read_transcript(const std::string& file) {
  std::vector<TranscriptLine> all;
  std::istringstream in(read_data(file));
  for (std::string line; std::getline(in, line);) {
    TranscriptLine t;
    t.at = std::strtod(line.c_str(), nullptr);
    const auto blank = line.find(' ');
    if (line.compare(blank + 1, 3, "EOF") == 0) break;
    t.from_daemon = line.compare(blank + 1, 2, ">>") == 0;
    std::string_view rest = std::string_view(line).substr(blank + 4);
    if (t.from_daemon) {
      rest = rest.substr(1, rest.size() - 2);  // the quotation marks
      for (std::size_t i = 0; i < rest.size(); ++i) {
        if (rest[i] != '\\') {
          t.text += rest[i];
        } else {
          ++i;
          t.text += rest[i] == 'r' ? '\r' : rest[i] == 'n' ? '\n' : rest[i] == 't' ? '\t' : rest[i];
        }
      }
      t.text += '\n';
    }
    all.push_back(t);
  }
  return all;
}

/// What a tunnel makes of several voices, with times that the test gives. Everything counts, as if we had
/// watched from the beginning.
struct Voices {
  EventMerger merger;
  SessionTracker tracker;
  ClientHistory history;
  TrafficMeter traffic;
  ManagementSession session;
  LogClock clock = LogClock::assume_utc();
  std::map<std::string, int> asked;
  std::uint64_t statuses = 0;

  static Now at(double seconds) {
    return {Instant(from_seconds(seconds)), WallTime(from_seconds(seconds)), {}};
  }

  void take(const Event& event, Channel channel, bool told_before, const Now& now) {
    if (!merger.is_new(event, channel, told_before, now)) return;
    history.apply(event, tracker.state(), now.wall);
    tracker.apply(event, now);
  }
  ManagementSession::Sink sink(const Now& now) {
    return {[this, now](const Event& e, Channel channel, bool told_before) {
              take(e, channel, told_before, now);
            },
            [this, now](std::uint64_t in, std::uint64_t out) { traffic.observe(in, out, now); },
            [this](const StatusReport&) { ++statuses; }};
  }
  void management(const TranscriptLine& line) {
    if (line.from_daemon) {
      session.feed(line.text, sink(at(line.at)));
    } else {
      ++asked[session.next_command(at(line.at).mono)];
    }
  }
  void log(const std::string& line, double now) {
    if (const auto event = parse_log_line(line, clock)) take(*event, Channel::log, false, at(now));
  }
};

}  // namespace ue::openvpn::testing_support
