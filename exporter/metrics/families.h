#pragma once
#include <prometheus/metric_family.h>

#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/catalogue.h"
#include "metrics/snapshot.h"

namespace ue::metrics {

/// Collects series under the families of the catalogue. A renderer owns one for the length of one scrape, on
/// the web thread that runs it; nothing is shared and nothing is kept. A wrong number of label values is a
/// programmer error and throws std::logic_error.
class Families {
 public:
  using Values = std::initializer_list<std::string_view>;  ///< as many as the catalogue has labels

  void counter(CounterId id, Values values, double value);
  void gauge(GaugeId id, Values values, double value);
  void gauge(GaugeId id, Values values, const std::optional<double>& value);  ///< absent while not measured
  void flag(GaugeId id, Values values, const std::optional<bool>& value);
  /// Nothing where the histogram has no bounds: nobody has begun to measure.
  void histogram(HistogramId id, Values values, const Histogram& histogram);
  /// One series for each of `states`; `current` is 1, or else the last of them. `values` lack the state's own
  /// label, which is the metric's last.
  void state_set(GaugeId id, Values values, std::span<const std::string_view> states,
                 std::string_view current);
  /// Always 1, with more labels. Those that are no label name, or one that the metric has already, are left
  /// out.
  void info(GaugeId id, Values values, const std::map<std::string, std::string>& more);

  /// Those families that have a series, in the order of the catalogue.
  std::vector<prometheus::MetricFamily> take();

 private:
  prometheus::ClientMetric& add(std::size_t index, std::span<const std::string_view> values);

  std::vector<prometheus::MetricFamily> families_{kCatalogue.size()};
};

}  // namespace ue::metrics
