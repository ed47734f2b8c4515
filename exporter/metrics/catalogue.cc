#include "metrics/catalogue.h"

#include <algorithm>

namespace ue::metrics {

const Metric* find_metric(std::string_view name) {
  const auto* found =
      std::find_if(kCatalogue.begin(), kCatalogue.end(), [&](const Metric& m) { return m.name == name; });
  return found == kCatalogue.end() ? nullptr : found;
}

bool is_label_name(std::string_view name) {
  // Not isalpha(): that follows the locale.
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || !letter(name[0]) || name.starts_with("__")) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

}  // namespace ue::metrics
