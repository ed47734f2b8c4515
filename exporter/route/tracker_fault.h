#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "route/conntrack.h"

namespace ue::route {

/// Something about this machine's own connection tracker that loses UDP, so that no carrier is to blame.
struct TrackerFault {
  std::string check;     ///< conntrack_room or conntrack_timeout
  std::string sentence;  ///< what is wrong, and the setting to change
};

/// Pure. Full: it drops packets or throws flows out since `before` (absent: not known), or every place is
/// taken. Short: a stream is forgotten within `keepalive`, the longest silence that the tunnel leaves.
std::vector<TrackerFault> tracker_faults(const std::optional<ConntrackTable>& before,
                                         const ConntrackTable& now, Nanos keepalive);

}  // namespace ue::route
