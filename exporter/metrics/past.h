#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "verdict/evidence.h"

/// What has been since the agent started, for the page: a few hours, in bounded memory. Dashboards take
/// theirs from Prometheus.
namespace ue::metrics {

/// What became of the probes of one path that were sent within one span of time.
struct Bin {
  std::uint32_t answered = 0;
  std::uint32_t forward_lost = 0;
  std::uint32_t return_lost = 0;
  std::uint32_t unattributed = 0;
  std::uint32_t open = 0;  ///< no reply yet, and not known which way it was lost
  float rtt = 0;           ///< mean in seconds; 0: none was measured

  std::uint32_t all() const { return answered + forward_lost + return_lost + unattributed + open; }
};

/// Bins one after the other; the last one ended at `end`.
struct Series {
  double width = 0;  ///< seconds
  double end = 0;    ///< Unix time
  std::vector<Bin> bins;
};

/// How often a hold was tried and came back in the newest batch that tried it; the counters know all batches.
struct NewestHold {
  std::uint64_t probes = 0;
  std::uint64_t replies = 0;
};

struct PathPast {
  Series minutes;
  Series hours;
  std::map<std::pair<std::string, std::string>, NewestHold> holds;  ///< by (pattern, hold)
};

struct VerdictChange {
  double at = 0;  ///< Unix time
  verdict::Conclusion conclusion;
};

struct Past {
  double began = 0;                                               ///< when the agent began to note it
  std::map<std::pair<std::string, std::string>, PathPast> paths;  ///< by (uplink, reflector)
  std::map<std::string, std::vector<VerdictChange>> changes;      ///< by uplink, oldest first
};

}  // namespace ue::metrics
