#pragma once
#include <bitset>
#include <cstdint>

#include "stamp/query.h"

namespace ue::reflector {

/// Which of the newest stamp::kWindow sequence numbers of a session have arrived. Tells replays from late
/// packets. Numbers do not wrap: a sender that starts anew takes a new flow id.
class SequenceWindow {
 public:
  enum class Arrival : std::uint8_t { newest, late, duplicate, too_old };

  /// Records `sequence` unless it is a duplicate or too old.
  Arrival record(std::uint32_t sequence);
  bool empty() const { return seen_.none(); }
  std::uint32_t highest() const { return highest_; }                 ///< 0 while empty
  const std::bitset<stamp::kWindow>& seen() const { return seen_; }  ///< bit i: highest - i

 private:
  std::uint32_t highest_ = 0;
  std::bitset<stamp::kWindow> seen_;
};

}  // namespace ue::reflector
