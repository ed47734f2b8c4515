#pragma once
#include <string>
#include <string_view>

#include "openvpn/client_history.h"
#include "openvpn/fixed_port.h"
#include "openvpn/line_buffer.h"
#include "openvpn/log_clock.h"
#include "openvpn/server_history.h"
#include "openvpn/session_tracker.h"

namespace ue::openvpn {

/// Says what happened in a log that is read from its beginning to its end. Pure: is fed pieces of text; times
/// are taken as UTC, since only differences count. Memory does not grow with the log.
class Analysis {
 public:
  /// Where the log does not tell whose it is (a cut-out), `role` says so.
  explicit Analysis(Role role = Role::unknown) : told_(role) {}

  void feed(std::string_view chunk);
  /// The keys of `uplinktool openvpn analyze --json`.
  std::string json() const;
  std::string text() const;

 private:
  void line(std::string_view text);
  void apply(const Event& event);
  Role role() const;
  Finding finding() const;

  const Role told_;
  LineBuffer lines_{65'536};
  LogClock clock_ = LogClock::assume_utc();
  FixedPort fixed_port_;
  SessionTracker tracker_;
  ClientHistory history_;
  ServerHistory server_;
  Finding before_exit_;  ///< of a client: what was to be said before its process left
  Now now_{};
};

}  // namespace ue::openvpn
