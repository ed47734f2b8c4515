#pragma once
#include <string>
#include <vector>

#include "alert/alert.h"
#include "alert/growth.h"
#include "metrics/snapshot.h"

namespace ue::alert {

/// Every alert condition of rules/*.rules.yml that one gateway can see of itself, as it is in `snapshot`.
/// Labels are those that Prometheus would give them, with job "uplink_exporter" and this `instance`; the
/// description is the verdict's own sentence, with the remedy. `growth` is told of the counters. Pure.
std::vector<Condition> conditions(const metrics::Snapshot& snapshot, const std::string& instance,
                                  Growth& growth, const Now& now);

}  // namespace ue::alert
