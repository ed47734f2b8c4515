#pragma once
#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <vector>

namespace ue::metrics {

inline constexpr std::string_view kTextContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Prometheus text exposition 0.0.4. Families are sorted by name and series by labels, so equal input gives
/// equal octets; HELP is escaped; label values become valid UTF-8; of series that then have the same labels
/// the first stays, because one duplicate would void the whole scrape.
std::string to_text(std::vector<prometheus::MetricFamily> families);

}  // namespace ue::metrics
