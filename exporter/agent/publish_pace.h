#pragma once
#include <array>
#include <cstddef>
#include <optional>

#include "base/time.h"

namespace ue::agent {

/// At most four publications in any second, and none later than it need be: what changes is shown at once,
/// unless the fourth before it is less than a second old. Pure; owned by the Agent.
class PublishPace {
 public:
  static constexpr std::size_t kMost = 4;
  static constexpr Nanos kWithin = std::chrono::seconds(1);

  bool allows(Instant now) const { return !times_[oldest_] || now - *times_[oldest_] >= kWithin; }
  void note(Instant now) {
    times_[oldest_] = now;
    oldest_ = (oldest_ + 1) % kMost;
  }

 private:
  std::array<std::optional<Instant>, kMost> times_;
  std::size_t oldest_ = 0;
};

}  // namespace ue::agent
