#include "openvpn/tunnel_state.h"

#include <algorithm>
#include <numeric>

namespace ue::openvpn {

void SessionDurations::add(Nanos duration) {
  const double s = to_seconds(duration);
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), s) - kBounds.begin();
  ++counts[static_cast<std::size_t>(bucket)];
  sum += s;
}

std::uint64_t SessionDurations::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

}  // namespace ue::openvpn
