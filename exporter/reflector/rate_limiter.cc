#include "reflector/rate_limiter.h"

#include <algorithm>

#include "base/bytes.h"
#include "reflector/seeded_hash.h"

namespace ue::reflector {

namespace {

/// Never 0: the lowest octet says which family it is.
std::uint64_t prefix_of(const IpAddress& a) {
  if (a.is_v4()) return std::uint64_t{a.v4_value()} << 8 | 4;
  return (get_u64(a.bytes().data()) & ~std::uint64_t{0xff}) | 6;
}

}  // namespace

RateLimiter::RateLimiter(double rate, double burst, std::size_t sources)
    : rate_(rate), burst_(burst), sets_((sources + kWays - 1) / kWays) {}

double RateLimiter::level(const Bucket& bucket, Instant now) const {
  if (bucket.prefix == 0) return burst_;
  return std::min(burst_, bucket.tokens + rate_ * to_seconds(std::max(now - bucket.updated, Nanos::zero())));
}

bool RateLimiter::allow(Instant now, const IpAddress& source) {
  const auto prefix = prefix_of(source);
  auto& set = sets_[SeededHash().add(prefix).value() % sets_.size()];
  auto found = std::find_if(set.begin(), set.end(), [&](const Bucket& b) { return b.prefix == prefix; });
  if (found == set.end()) {
    found = std::max_element(set.begin(), set.end(),
                             [&](const Bucket& a, const Bucket& b) { return level(a, now) < level(b, now); });
    *found = Bucket{prefix, burst_, now};
  }
  found->tokens = level(*found, now);
  found->updated = now;
  if (found->tokens < 1) return false;
  found->tokens -= 1;
  return true;
}

void RateLimiter::set_rate(double rate, double burst) {
  rate_ = rate;
  burst_ = burst;
}

}  // namespace ue::reflector
