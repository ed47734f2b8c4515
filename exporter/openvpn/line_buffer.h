#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ue::openvpn {

/// Cuts a stream into lines; keeps the beginning of a line that has not ended yet. Pure. Memory is bounded by
/// `max_line`: a longer line is dropped whole and counted.
class LineBuffer {
 public:
  explicit LineBuffer(std::size_t max_line) : max_line_(max_line) {}

  /// Calls `on_line(line, end)` for every line that `chunk` completes: without its newline (or CR LF), valid
  /// during the call only; `end` is the position in `chunk` behind the newline.
  template <typename OnLine>
  void feed(std::string_view chunk, OnLine&& on_line) {
    std::size_t begin = 0;
    for (auto end = chunk.find('\n'); end != chunk.npos; end = chunk.find('\n', begin)) {
      const std::string_view piece = chunk.substr(begin, end - begin);
      begin = end + 1;
      if (!fits(piece)) {
        ++overlong_;
      } else if (!skipping_) {
        // Complete lines are passed on in place; only one that was begun earlier is put together.
        on_line(trim(partial_.empty() ? piece : std::string_view(partial_.append(piece))), begin);
      }
      clear();
    }
    keep(chunk.substr(begin));
  }

  /// The stream goes on in the middle of a line that is of no use.
  void skip_to_newline() {
    clear();
    skipping_ = true;
  }
  void clear() {
    partial_.clear();
    skipping_ = false;
    too_long_ = false;
  }

  /// The beginning of the line that has not ended yet.
  std::string_view pending() const { return partial_; }
  std::uint64_t overlong() const { return overlong_; }  ///< lines dropped

 private:
  static std::string_view trim(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    // A writer that does not append leaves a hole of zeros where its file was truncated.
    line.remove_prefix(std::min(line.find_first_not_of('\0'), line.size()));
    return line;
  }
  bool fits(std::string_view piece) const {
    return skipping_ || (!too_long_ && partial_.size() + piece.size() <= max_line_);
  }
  void keep(std::string_view piece) {
    if (skipping_ || too_long_) return;
    if (!fits(piece)) {
      too_long_ = true;
      std::string().swap(partial_);
    } else {
      partial_.append(piece);
    }
  }

  std::size_t max_line_;
  std::string partial_;
  bool skipping_ = false;
  bool too_long_ = false;
  std::uint64_t overlong_ = 0;
};

}  // namespace ue::openvpn
