#pragma once
#include <algorithm>
#include <array>
#include <optional>

#include "base/time.h"

namespace ue::probe {

/// Round-trip times of one path: smoothed for the loss time-out, and a histogram. Passive.
class Rtt {
 public:
  /// Upper bounds in seconds; the last bucket is +Inf.
  static constexpr std::array<double, 12> kBounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1,   0.25,   0.5,   1,    2.5,   5};

  void record(Nanos rtt);
  std::optional<Nanos> smoothed() const { return smoothed_; }
  /// max(300 ms, 4 x smoothed RTT); 1 s before the first sample (RFC 8085 §3.1.1).
  Nanos loss_timeout() const {
    using namespace std::chrono_literals;
    return smoothed_ ? std::max<Nanos>(300ms, *smoothed_ * 4) : Nanos(1s);
  }

  const std::array<std::uint64_t, kBounds.size() + 1>& buckets() const { return buckets_; }
  double sum_seconds() const { return sum_; }

 private:
  std::optional<Nanos> smoothed_;
  std::array<std::uint64_t, kBounds.size() + 1> buckets_{};
  double sum_ = 0;
};

}  // namespace ue::probe
