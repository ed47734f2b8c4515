#pragma once
#include "metrics/snapshot.h"

namespace ue::agent {

/// Reads /proc/self; what cannot be read stays 0. A few system calls: once a second at most.
metrics::Process read_process_stats();

}  // namespace ue::agent
