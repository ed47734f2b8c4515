#include "probe/loss_alarm.h"

#include <algorithm>
#include <cmath>

namespace ue::probe {

namespace {

/// ln(probes a year / 0.01): one chance raise in 100 flow-years at half the threshold, and one chance
/// clearing in as many at twice. Clearing takes about four minutes without loss at one probe a second.
constexpr double kEvidence = 21.9;

}  // namespace

LossAlarm::LossAlarm(double threshold) {
  const double low = threshold / 2;
  const double high = std::min(threshold * 2, 0.99);
  gain_ = std::log(high / low);
  cost_ = std::log((1 - low) / (1 - high));
}

void LossAlarm::record(bool lost) {
  const double step = lost ? gain_ : -cost_;
  score_ = std::max(0.0, score_ + (raised_ ? -step : step));
  if (score_ < kEvidence) return;
  raised_ = !raised_;
  score_ = 0;
}

}  // namespace ue::probe
