#pragma once
#include <string>
#include <vector>

#include "config/config.h"
#include "metrics/snapshot.h"

namespace ue::agent {

/// What this process is not allowed to do, and what goes without it. Each is a collector of its own, with one
/// line in the log; nothing else stops. The connection tracker says so by itself. Owned by the Agent.
class Privileges {
 public:
  /// Tries them; they do not change while the process runs. Marks are wanted where an uplink has one.
  void look(const std::vector<config::Uplink>& uplinks);
  /// `route_fault`: why an uplink's own route cannot be set; empty: none, or none is needed.
  void add_to(metrics::Snapshot& snapshot, const std::string& route_fault) const;

 private:
  std::string arrivals_;  ///< what is missing; empty: nothing
  std::string marks_;
  bool wants_marks_ = false;
};

}  // namespace ue::agent
