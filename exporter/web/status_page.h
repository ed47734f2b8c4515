#pragma once
#include <string>
#include <string_view>

#include "metrics/snapshot.h"

namespace ue::web {

/// The agent's page at /: for each uplink the verdict and why, since when, and its paths; then tunnels, and
/// what is off with its remedy. A pure function of the snapshot, without a clock: ages are as of its
/// publication.
std::string status_page(const metrics::Snapshot& snapshot, std::string_view telemetry_path);

/// The reflector's page at /.
std::string reflector_page(const metrics::ReflectorSnapshot& snapshot, std::string_view telemetry_path);

/// The page of either program before its first snapshot.
std::string starting_page(std::string_view program, std::string_view telemetry_path);

}  // namespace ue::web
