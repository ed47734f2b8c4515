#pragma once
#include "metrics/snapshot.h"
#include "web/html.h"

namespace ue::web {

/// One uplink on the page: verdict, why, since when; its paths with what they did over the last minutes; what
/// the NAT remembers; its history.
void add_uplink(Html& page, const metrics::Snapshot& snapshot, const metrics::Uplink& uplink);

}  // namespace ue::web
