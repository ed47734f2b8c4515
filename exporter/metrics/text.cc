#include "metrics/text.h"

#include <prometheus/text_serializer.h>

#include <algorithm>

#include "metrics/utf8.h"

namespace ue::metrics {
namespace {

/// The serializer escapes label values but writes HELP as it is, where a line break would end the scrape.
std::string escape_help(std::string_view help) {
  std::string out;
  out.reserve(help.size());
  for (const char c : valid_utf8(help)) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string to_text(std::vector<prometheus::MetricFamily> families) {
  std::stable_sort(families.begin(), families.end(),
                   [](const auto& a, const auto& b) { return a.name < b.name; });
  for (auto& family : families) {
    family.help = escape_help(family.help);
    for (auto& series : family.metric) {
      for (auto& label : series.label) label.value = valid_utf8(label.value);
    }
    auto& series = family.metric;
    std::stable_sort(series.begin(), series.end(),
                     [](const auto& a, const auto& b) { return a.label < b.label; });
    const auto same = [](const auto& a, const auto& b) { return a.label == b.label; };
    series.erase(std::unique(series.begin(), series.end(), same), series.end());
  }
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace ue::metrics
