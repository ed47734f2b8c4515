#pragma once
#include <algorithm>
#include <vector>

#include "base/time.h"

namespace ue::sim {

/// What became of the packets of one direction, by slots of ten seconds: the truth about loss, for judging
/// verdicts.
class LossRecord {
 public:
  void record(Nanos at, bool lost) {
    const auto slot = static_cast<std::size_t>(at / kSlot);
    if (slots_.size() <= slot) slots_.resize(slot + 1);
    ++slots_[slot].packets;
    slots_[slot].lost += lost ? 1 : 0;
  }

  /// The highest ratio of loss in any minute between the two times that saw 15 packets at least.
  double worst_minute(Nanos from, Nanos to) const {
    constexpr std::size_t kMinute = 6;
    double worst = 0;
    auto first = static_cast<std::size_t>(std::max(from, Nanos::zero()) / kSlot);
    for (; first + kMinute <= slots_.size() && static_cast<std::int64_t>(first) * kSlot < to; ++first) {
      double packets = 0;
      double lost = 0;
      for (auto s = first; s < first + kMinute; ++s) {
        packets += slots_[s].packets;
        lost += slots_[s].lost;
      }
      if (packets >= 15) worst = std::max(worst, lost / packets);
    }
    return worst;
  }

 private:
  static constexpr Nanos kSlot = std::chrono::seconds(10);
  struct Slot {
    std::uint32_t packets = 0;
    std::uint32_t lost = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace ue::sim
