#pragma once
#include <prometheus/metric_family.h>

#include <vector>

#include "metrics/snapshot.h"

namespace ue::metrics {

/// A scrape is a pure function of a snapshot: no clock, no state, any thread. Known counters are there from 0
/// on, what has not been measured is absent, and every state set has exactly one 1.
std::vector<prometheus::MetricFamily> render(const Snapshot& snapshot);
std::vector<prometheus::MetricFamily> render(const ReflectorSnapshot& snapshot);

}  // namespace ue::metrics
