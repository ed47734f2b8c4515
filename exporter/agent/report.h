#pragma once
#include <string>

#include "metrics/snapshot.h"

namespace ue::agent {

/// Exit codes of a one-shot diagnosis, by the worst verdict of all uplinks. 2 is the command line's own.
enum class Grade : int {
  healthy = 0,
  impaired = 1,  ///< traffic passes, with a fault: lossy, short_mapping, mtu_blackhole, stuck_mapping,
                 ///< new_flows_blocked
  broken = 3,    ///< it does not: every other verdict
  unknown = 4,   ///< not enough evidence, or no uplink at all; less bad than broken, worse than impaired
};
Grade grade(verdict::Verdict v);
Grade worst(const metrics::Snapshot& snapshot);

/// Pure: what was found, all uplinks one after the other, for a person. Ends with a newline.
std::string report_text(const metrics::Snapshot& snapshot);

/// Pure: the same for programs. Members are only ever added; what has not been measured is null.
///   {"schema":1,"version":..,"exit_code":n,"uplinks":[{"name","interface","gateway","verdict","why","scope",
///     "advice","mapped_endpoint","nat":{"mapping","filtering","carrier_grade"},"round_trip_seconds",
///     "lifetimes":{"stream":{"lower_seconds","upper_seconds"},..},"local_faults":[check,..],
///     "paths":[{"reflector","verdict","why","scope","mapped_endpoint","round_trip_seconds","sent","received",
///               "forward_lost","return_lost"}]}],"faults":[{"source","why"}]}
std::string report_json(const metrics::Snapshot& snapshot);

/// One line for a terminal: "mansion one_way, five_g healthy".
std::string progress_text(const metrics::Snapshot& snapshot);

}  // namespace ue::agent
