#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "base/time.h"
#include "route/flow_ledger.h"

namespace ue::route {

/// What became of the UDP flows of other programs through one uplink lately. Flows under way are in neither.
struct Bystanders {
  std::uint64_t answered = 0;
  std::uint64_t unreplied = 0;
  bool operator==(const Bystanders&) const = default;
};

/// Keeps the last two minutes of a FlowLedger's counters. Pure.
class FlowShare {
 public:
  static constexpr Nanos kWindow = std::chrono::seconds(120);

  /// Call it about every ten seconds; more often changes nothing.
  void observe(const std::map<std::string, UplinkFlows>& counts, Instant now);
  /// By uplink.
  std::map<std::string, Bystanders> lately() const;

 private:
  using Totals = std::map<std::string, Bystanders>;
  struct Sample {
    Instant at;
    Totals totals;
  };
  std::deque<Sample> samples_;  ///< oldest first: the newest that is older than the window begins it
  Totals now_;
};

}  // namespace ue::route
