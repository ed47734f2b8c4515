#pragma once
#include <sys/stat.h>

#include <functional>
#include <string>

#include "base/time.h"
#include "openvpn/source_state.h"
#include "openvpn/status_report.h"

namespace ue::openvpn {

/// Reads a daemon's status file again whenever it was rewritten. Owned by a Tunnel, on the loop's thread. The
/// daemon rewrites the file in place, so that a reading may meet half of the old and half of the new: such a
/// one is thrown away whole, counted, and tried again.
class StatusFollower {
 public:
  static constexpr std::size_t kMaxSize = 64 * 1024 * 1024;  ///< octets; some 400,000 clients
  /// The report's views are valid during the call. `at`: when it was written.
  using Sink = std::function<void(const StatusReport&, WallTime at)>;

  StatusFollower(std::string tunnel, std::string path) : tunnel_(std::move(tunnel)), path_(std::move(path)) {}

  void poll(const Now& now, const Sink& sink);

  /// Errors by reason: missing, permission, not_a_file, too_large, open, read, empty, torn, unknown_form,
  /// stale. `up` while the newest report is younger than three of the file's usual intervals.
  const SourceState& state() const { return state_; }

 private:
  bool read_file(struct stat& info, bool& whole);
  void fail(std::string_view reason, std::string remedy);
  void judge_age(const Now& now);

  std::string tunnel_;
  std::string path_;
  SourceState state_;
  struct stat seen_ {};  ///< of the newest report or failure
  bool has_seen_ = false;
  WallTime written_{};                         ///< the newest report; none: 0
  Nanos interval_ = std::chrono::seconds(60);  ///< OpenVPN's default, then the longest that was seen
  unsigned torn_ = 0;                          ///< in a row
  std::string text_;
  StatusReport report_;
};

}  // namespace ue::openvpn
