#pragma once
#include <map>
#include <string>
#include <vector>

#include "alert/rule.h"

namespace ue::alert {

using Labels = std::map<std::string, std::string>;

/// A condition that holds at this moment.
struct Condition {
  const Rule* rule = nullptr;
  Labels labels;            ///< with alertname and severity
  std::string description;  ///< one or more sentences with figures and the remedy
};

/// What one Alertmanager is told of one alert (its API v2).
struct Message {
  Labels labels;
  Labels annotations;  ///< summary, description, runbook_url
  WallTime starts{};
  WallTime ends{};  ///< resolved: when it ended. Else it ends by itself then, should nobody say it again
};

}  // namespace ue::alert
