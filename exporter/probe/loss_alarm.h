#pragma once

namespace ue::probe {

/// Sequential test (Page's CUSUM) of a loss ratio against a threshold: is it twice the threshold rather than
/// half of it? Raises and clears only on evidence worth the same error budget as LossModel, so it does not
/// flap around the threshold. Passive; one per direction.
class LossAlarm {
 public:
  explicit LossAlarm(double threshold);

  void record(bool lost);
  bool raised() const { return raised_; }

 private:
  double gain_;  ///< log likelihood ratio of a loss
  double cost_;  ///< minus that of an arrival
  double score_ = 0;
  bool raised_ = false;
};

}  // namespace ue::probe
