#pragma once
#include <algorithm>

namespace ue::probe {

/// Sequential test (Page's CUSUM) of a loss ratio against a threshold: is it twice the threshold rather than
/// half of it? Raises and clears only on evidence worth the same error budget as LossModel, so it does not
/// flap around the threshold. Passive; one per direction.
class LossAlarm {
 public:
  explicit LossAlarm(double threshold);

  void record(bool lost) {
    const double step = lost ? gain_ : -cost_;
    score_ = std::max(0.0, score_ + (raised_ ? -step : step));
    if (score_ < kEvidence) return;
    raised_ = !raised_;
    score_ = 0;
  }
  bool raised() const { return raised_; }

 private:
  /// ln(probes a year / 0.01): one chance raise in 100 flow-years at half the threshold, and one chance
  /// clearing in as many at twice. Clearing takes about four minutes without loss at one probe a second.
  static constexpr double kEvidence = 21.9;

  double gain_;  ///< log likelihood ratio of a loss
  double cost_;  ///< minus that of an arrival
  double score_ = 0;
  bool raised_ = false;
};

}  // namespace ue::probe
