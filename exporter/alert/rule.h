#pragma once
#include <array>
#include <chrono>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ue::alert {

/// What an alert of direct mode is called, and when it is told: the same names, severities, waiting times and
/// summaries as in rules/*.rules.yml, where Prometheus evaluates them. A unit test reads those files and
/// holds this table to them.
struct Rule {
  std::string_view name;
  std::string_view severity;  ///< critical wakes somebody up, warning is a ticket, info is for the record
  Nanos pending{};            ///< a condition must hold for so long first
  Nanos keep_firing{};        ///< and is told as firing for so long after it ended
  std::string_view summary;   ///< what it is, without names: those are in its labels
};

/// The table's row of that name; the name must be there (it is a literal of this room).
const Rule& rule(std::string_view name);

/// Every row, for tests.
std::size_t rule_count();
const Rule& rule_at(std::size_t index);

/// "rules/README.md#uplinkdown"
std::string runbook_of(const Rule& rule);

}  // namespace ue::alert
