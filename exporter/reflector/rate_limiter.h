#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/time.h"

namespace ue::reflector {

/// A token bucket for each source prefix: IPv4 /32, IPv6 /56 (what one subscriber is given, RFC 6177). The
/// table has a fixed size: where it is crowded, the bucket that has recovered most makes room, so little is
/// forgotten and memory never grows. Owned by the loop; passive.
class RateLimiter {
 public:
  /// `rate` tokens a second, at most `burst` saved up; `sources` is rounded up to a multiple of kWays.
  RateLimiter(double rate, double burst, std::size_t sources = 16'384);

  /// Takes one token; false where there is none.
  bool allow(Instant now, const IpAddress& source);
  /// New limits hold from the next packet on.
  void set_rate(double rate, double burst);

 private:
  static constexpr std::size_t kWays = 4;
  struct Bucket {
    std::uint64_t prefix = 0;  ///< 0: free
    double tokens = 0;
    Instant updated{};
  };
  double level(const Bucket& bucket, Instant now) const;

  double rate_;
  double burst_;
  std::vector<std::array<Bucket, kWays>> sets_;
};

}  // namespace ue::reflector
