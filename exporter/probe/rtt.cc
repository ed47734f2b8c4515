#include "probe/rtt.h"

#include <algorithm>

namespace ue::probe {

namespace {

constexpr auto in_nanos() {
  std::array<Nanos, Rtt::kBounds.size()> bounds{};
  std::ranges::transform(Rtt::kBounds, bounds.begin(),
                         [](double s) { return Nanos(static_cast<std::int64_t>(s * 1e9 + .5)); });
  return bounds;
}

}  // namespace

void Rtt::record(Nanos rtt) {
  static constexpr auto kNanos = in_nanos();
  rtt = std::max(rtt, Nanos::zero());
  const auto bucket = std::lower_bound(kNanos.begin(), kNanos.end(), rtt) - kNanos.begin();
  ++buckets_[static_cast<std::size_t>(bucket)];
  sum_ += to_seconds(rtt);
  smoothed_ = smoothed_ ? *smoothed_ + (rtt - *smoothed_) / 8 : rtt;  // RFC 6298's alpha
}

}  // namespace ue::probe
