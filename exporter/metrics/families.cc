#include "metrics/families.h"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

namespace ue::metrics {

prometheus::ClientMetric& Families::add(std::size_t index, std::span<const std::string_view> values) {
  const Metric& metric = kCatalogue[index];
  if (values.size() != metric.label_count()) {
    throw std::logic_error("wrong number of label values for " + std::string(metric.name));
  }
  auto& series = families_[index].metric.emplace_back();
  series.label.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    series.label.push_back({std::string(metric.labels[i]), std::string(values[i])});
  }
  return series;
}

void Families::counter(CounterId id, Values values, double value) {
  add(id.index(), {values.begin(), values.size()}).counter.value = value;
}

void Families::gauge(GaugeId id, Values values, double value) {
  add(id.index(), {values.begin(), values.size()}).gauge.value = value;
}

void Families::gauge(GaugeId id, Values values, const std::optional<double>& value) {
  if (value) gauge(id, values, *value);
}

void Families::flag(GaugeId id, Values values, const std::optional<bool>& value) {
  if (value) gauge(id, values, *value ? 1.0 : 0.0);
}

void Families::histogram(HistogramId id, Values values, const Histogram& histogram) {
  if (histogram.bounds.empty()) return;
  auto& out = add(id.index(), {values.begin(), values.size()}).histogram;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i <= histogram.bounds.size(); ++i) {
    if (i < histogram.counts.size()) cumulative += histogram.counts[i];
    const bool last = i == histogram.bounds.size();
    out.bucket.push_back({cumulative, last ? std::numeric_limits<double>::infinity() : histogram.bounds[i]});
  }
  out.sample_count = cumulative;
  out.sample_sum = histogram.sum;
}

void Families::state_set(GaugeId id, Values values, std::span<const std::string_view> states,
                         std::string_view current) {
  auto found = std::find(states.begin(), states.end(), current);
  if (found == states.end()) --found;  // a state nobody told this table of must not leave the set without a 1
  std::vector<std::string_view> all(values);
  all.emplace_back();
  for (const auto& state : states) {
    all.back() = state;
    add(id.index(), all).gauge.value = state == *found ? 1 : 0;
  }
}

void Families::info(GaugeId id, Values values, const std::map<std::string, std::string>& more) {
  auto& series = add(id.index(), {values.begin(), values.size()});
  series.gauge.value = 1;
  const auto& own = kCatalogue[id.index()].labels;
  for (const auto& [name, value] : more) {
    if (!is_label_name(name) || std::find(own.begin(), own.end(), name) != own.end()) continue;
    series.label.push_back({name, value});
  }
}

std::vector<prometheus::MetricFamily> Families::take() {
  std::vector<prometheus::MetricFamily> out;
  for (std::size_t i = 0; i < families_.size(); ++i) {
    auto& family = families_[i];
    if (family.metric.empty()) continue;
    family.name = kCatalogue[i].name;
    family.help = kCatalogue[i].help;
    family.type = kCatalogue[i].type;
    out.push_back(std::move(family));
  }
  families_ = std::vector<prometheus::MetricFamily>(kCatalogue.size());
  return out;
}

}  // namespace ue::metrics
