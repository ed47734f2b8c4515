#pragma once
#include <functional>
#include <string>
#include <variant>

#include "metrics/snapshot.h"
#include "metrics/snapshot_box.h"
#include "web/site.h"

namespace ue::web {

using Reload = std::function<Result<std::monostate>(Nanos deadline)>;

/// What uplink_exporter serves, rendered on the web thread that asks from the box's newest snapshot. The box
/// outlives the server. Until the first snapshot metrics are refused with 503, rather than be a scrape
/// without data.
Site agent_site(const metrics::SnapshotBox<metrics::Snapshot>& box, std::string telemetry_path,
                Reload reload = {});

/// What uplink_reflector serves; it is ready from its first snapshot on.
Site reflector_site(const metrics::SnapshotBox<metrics::ReflectorSnapshot>& box, std::string telemetry_path,
                    Reload reload = {});

}  // namespace ue::web
