#include "probe/rtt.h"

#include <algorithm>

namespace ue::probe {

void Rtt::record(Nanos rtt) {
  rtt = std::max(rtt, Nanos::zero());
  const double s = to_seconds(rtt);
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), s) - kBounds.begin();
  ++buckets_[static_cast<std::size_t>(bucket)];
  sum_ += s;
  smoothed_ = smoothed_ ? *smoothed_ + (rtt - *smoothed_) / 8 : rtt;  // RFC 6298's alpha
}

}  // namespace ue::probe
