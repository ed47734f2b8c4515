#pragma once
#include "metrics/snapshot.h"

namespace ue::metrics {

/// Reads /proc/self; what cannot be read stays 0. A few system calls: once a second at most.
Process read_process_stats();

}  // namespace ue::metrics
