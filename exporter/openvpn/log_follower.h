#pragma once
#include <sys/stat.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "openvpn/event.h"
#include "openvpn/file_handle.h"
#include "openvpn/line_buffer.h"
#include "openvpn/log_clock.h"
#include "openvpn/source_state.h"

namespace ue::openvpn {

/// Follows a daemon's log file as it grows, is rotated (renamed and created anew), truncated, deleted and
/// recreated, or is missing at first. Owned by a Tunnel, on the loop's thread; the caller decides how often
/// to poll (a second or less is right), it has no descriptor to wait on. It never blocks, never writes, and
/// never reads more than a budget in one call, so that a flooded log cannot starve the loop.
///
/// The first look at a file that is there already reads back the end of it, as replayed events. From then on
/// everything is new, including all of a file that appears later.
class LogFollower {
 public:
  struct Limits {
    std::size_t read_back = 256 * 1024;  ///< octets of history
    std::size_t budget = 1024 * 1024;    ///< octets in one poll()
    std::size_t max_line = 64 * 1024;
  };
  using Sink = std::function<void(const Event&)>;

  LogFollower(std::string tunnel, std::string path, Limits limits);
  LogFollower(std::string tunnel, std::string path)
      : LogFollower(std::move(tunnel), std::move(path), Limits{}) {}

  /// Hands the events of new lines to `sink`, in order; their views are valid during the call. True: the
  /// budget ran out and more is waiting, so call again soon.
  bool poll(const Sink& sink);

  /// Errors by reason: missing, permission, not_a_file, open, read; overlong_line counts lines dropped.
  const SourceState& state() const { return state_; }

 private:
  FileHandle open_path(struct stat& info);
  void open_first();
  bool prepare(const struct stat& info);
  bool is_same_text() const;
  bool drain(const Sink& sink, std::size_t& budget);
  void restart(std::uint64_t offset);
  bool follow_path(const Sink& sink, std::size_t& budget);
  void observe_clock(const struct stat& info);
  void on_line(std::string_view line, bool replayed, const Sink& sink);
  void fail(std::string_view reason, std::string remedy);
  void recover();

  std::string tunnel_;
  std::string path_;
  Limits limits_;
  SourceState state_;
  bool was_missing_ = false;  ///< the path was seen without a file: what appears there is new
  FileHandle file_;
  std::uint64_t offset_ = 0;  ///< of the next octet to read
  std::uint64_t replayed_until_ = 0;
  std::string last_read_;  ///< the octets before `offset_`, to know the file again by
  LineBuffer lines_;
  LogClock clock_;
  std::vector<char> buffer_;
};

}  // namespace ue::openvpn
