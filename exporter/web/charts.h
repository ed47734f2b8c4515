#pragma once
#include "metrics/past.h"
#include "metrics/snapshot.h"
#include "web/html.h"

/// Drawings of what has been: plain SVG, coloured by the style sheet, without a script.
namespace ue::web {

/// Forward and return success and the round-trip time over the last minutes. `past` may be null. `open` probes have had
/// no reply, and nobody knows yet which way they were lost: the figures then reach from all of them lost to none.
void add_minutes(Html& page, const metrics::Path& path, const metrics::PathPast* past, std::uint64_t open);

/// The verdicts of an uplink, and how much came back, since the agent began or for as long as it is kept.
void add_hours(Html& page, const metrics::Past& past, const std::vector<metrics::VerdictChange>& changes,
               const metrics::PathPast* path, double now);

/// The ladder as a heat strip: a row for each pattern, a cell for each hold, coloured by how many of the
/// newest batch came back. `keepalive` is what tunnels need, in seconds. Nothing where nothing was measured.
void add_ladder(Html& page, const metrics::Path& path, const metrics::PathPast* past,
                const std::optional<double>& keepalive);

}  // namespace ue::web
