#pragma once
#include <optional>
#include <vector>

#include "base/address.h"

namespace ue {

/// The routers on the way to a far end, as they answered packets whose TTL ended there.
struct Hops {
  std::vector<std::optional<IpAddress>> routers;  ///< hop 1 first; nothing: it stayed silent
  std::optional<unsigned> length;  ///< hops up to the far end, itself counted; nothing: it was not reached

  /// Who answered at hop `hop`, 1 or more; nothing where nobody did, or it was not tried.
  std::optional<IpAddress> at(unsigned hop) const {
    return hop >= 1 && hop <= routers.size() ? routers[hop - 1] : std::nullopt;
  }
  bool operator==(const Hops&) const = default;
};

}  // namespace ue
