#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/time.h"

namespace ue::alert {

/// By how much counters grew over the last minutes. Pure; a counter that went back began anew at 0. Names are
/// those of a configuration, so their number is bounded by it; who is not observed any more is forgotten.
class Growth {
 public:
  static constexpr Nanos kLongest = std::chrono::minutes(15);
  static constexpr Nanos kResolution = std::chrono::seconds(5);

  /// Call it for every counter at every evaluation.
  void observe(const std::string& counter, std::uint64_t value, Instant now);
  /// Over `window` (kLongest at most), or since the counter was first seen.
  std::uint64_t over(const std::string& counter, Nanos window, Instant now) const;
  void forget_unseen(Instant now);

 private:
  struct Sample {
    Instant at{};
    std::uint64_t grown = 0;  ///< since the counter was first seen
  };
  struct Counter {
    std::deque<Sample> samples;  ///< oldest first
    std::uint64_t value = 0;
    std::uint64_t grown = 0;
    Instant seen{};
  };
  std::map<std::string, Counter> counters_;
};

}  // namespace ue::alert
