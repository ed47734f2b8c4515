#pragma once
#include <functional>
#include <string>
#include <variant>

#include "base/result.h"
#include "base/time.h"

namespace ue::web {

/// What a server serves. The functions are called by threads of its own, so they only read what is immutable (a
/// snapshot), except reload(), of which one call runs at a time. None but reload() waits for anybody.
struct Site {
  std::string program;                           ///< "uplink_exporter", for the texts
  std::string telemetry_path = "/metrics";       ///< "/" leaves no room for the page
  std::function<Result<std::string>()> metrics;  ///< text exposition; an error is answered with 503
  std::function<std::string()> index;            ///< the HTML page at /
  std::function<Result<std::string>()> status;  ///< the same as JSON, at /api/v1/status
  std::function<Result<std::string>()> config;  ///< YAML at /config, without secrets
  std::function<bool()> ready;
  /// Left out where the program cannot reload. It returns within `deadline`, a timeout being an error like
  /// others.
  std::function<Result<std::monostate>(Nanos deadline)> reload;
};

}  // namespace ue::web
