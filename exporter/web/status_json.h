#pragma once
#include <string>

#include "metrics/snapshot.h"

namespace ue::web {

/// /api/v1/status: what the page shows, for programs. status_api.md describes every key; keys are added, never
/// renamed or removed. What has not been measured is null. Pure, without a clock.
std::string status_json(const metrics::Snapshot& snapshot);
std::string status_json(const metrics::ReflectorSnapshot& snapshot);

}  // namespace ue::web
