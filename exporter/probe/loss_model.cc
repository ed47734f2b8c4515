#include "probe/loss_model.h"

#include <algorithm>
#include <cmath>

namespace ue::probe {

namespace {

constexpr double kFalseAlarmsPerYear = 0.01;
constexpr double kProbesPerYear = 365.25 * 86400;
constexpr double kMemory = 2000;  // probes
constexpr double kBurstMemory =
    400;  // losses: on a good line that is a day, so bursts are not forgotten between two of them
constexpr double kLateMemory = 60;
constexpr double kPriorProbes = 20;
constexpr double kPriorLosses = 1;
constexpr double kPriorPairs = 2;
constexpr double kLeastLoss = .01;
constexpr double kNoticed = .01;  // a change of p, as its part, that may be one of K

}  // namespace

void LossModel::forget() {
  constexpr double kKeep = 1 - 1 / kMemory;
  probes_ *= kKeep;
  losses_ *= kKeep;
}

void LossModel::record_answer() {
  forget();
  probes_ += 1;
  // An answer only lowers p, which K takes for kLeastLoss at least.
  if (needed_at_ > kLeastLoss && ratio() < (1 - kNoticed) * needed_at_) needed_ = 0;
}

void LossModel::record_run(std::uint32_t losses) {
  if (losses == 0) return;
  needed_ = 0;
  probes_ += losses;
  losses_ += losses;
  pairs_.record(losses, kBurstMemory);
  late_pairs_.record(losses, kLateMemory);
}

void LossModel::Pairs::record(std::uint32_t losses, double memory) {
  const double keep = std::pow(1 - 1 / memory, losses);
  considered = considered * keep + losses;
  after_loss = after_loss * keep + losses - 1;
}

double LossModel::Pairs::ratio(double p) const {
  return (after_loss + kPriorPairs * p) / (considered + kPriorPairs);
}

double LossModel::ratio() const { return (losses_ + kPriorLosses) / (probes_ + kPriorProbes); }

double LossModel::loss() const { return std::clamp(ratio(), kLeastLoss, 0.95); }

double LossModel::loss_after_loss() const {
  const double p = loss();
  // Few losses say little: less two standard deviations.
  const double late = late_pairs_.ratio(p);
  const double doubt = std::sqrt(late * (1 - late) / (late_pairs_.considered + kPriorPairs));
  return std::clamp(std::max(pairs_.ratio(p), late - 2 * doubt), p, 0.95);
}

/// Asked for with every answer, which hardly changes it: see record_answer().
std::uint32_t LossModel::count_run() const {
  const double budget = std::log(kFalseAlarmsPerYear / kProbesPerYear);
  const double after_first = (budget - std::log(loss())) / std::log(loss_after_loss());
  needed_at_ = loss();
  needed_ = std::min(1 + static_cast<std::uint32_t>(std::ceil(std::max(after_first, 0.0))), kLongestBurst);
  return needed_;
}

std::uint32_t LossModel::no_chance() const {
  constexpr double kChance = 6e-6;
  return static_cast<std::uint32_t>(std::ceil(std::log(kChance) / std::log(std::max(loss(), .05)) - 1e-9));
}

}  // namespace ue::probe
