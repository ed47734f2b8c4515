#pragma once
#include <cstdint>

namespace ue {

/// What this process uses of the machine, as every Prometheus exporter tells it.
struct ProcessStats {
  double cpu_seconds = 0;  ///< user and system
  double start_time = 0;   ///< seconds since the epoch
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
  std::uint64_t threads = 0;
};

/// Reads /proc/self; what cannot be read stays 0. A few system calls: once a second at most.
ProcessStats read_process_stats();

}  // namespace ue
