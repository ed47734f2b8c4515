#pragma once
#include <algorithm>
#include <cstdint>

namespace ue::probe {

/// Losses in a row that make a flow look dead, where so many would prove it. On a line that loses much three
/// are nothing.
inline constexpr std::uint32_t dying(std::uint32_t losses_needed) {
  return losses_needed <= 16 ? 3 : (losses_needed - 8) * 3 / 8;
}

/// How likely a run of losses is by chance, from the losses that this path shows while it works. Loss is
/// taken as bursty: p is the chance of a loss, q that of another one right after a loss. Runs that were found
/// to be no chance must not be recorded, or an outage would make the next one harder to see. Passive; memory
/// of about 2,000 probes for p; of 400 losses for q, and of 60 where these say more.
class LossModel {
 public:
  void record_answer();
  /// One run of `losses` in a row that ended by an answer.
  void record_run(std::uint32_t losses);

  double loss() const;             ///< p, at least 1 %; starts from 5 % with the weight of 20 probes
  double loss_after_loss() const;  ///< q, between p and 95 %: the higher one of long and short memory

  // How many losses are enough depends on what is built on them: dying() of them call for a closer look, K of
  // one flow say that it is dead, no_chance() are enough beside what else is known, and whole_run() are
  // waited for where nothing else is.

  /// K: so many losses in a row are no chance, at a budget of 0.01 false alarms a year for a flow of one
  /// probe a second: the smallest K with p q^(K-1) <= 0.01 / 31,557,600, for the p that was at most 1 % ago.
  /// At most kMostNeeded: short outages look like bursts, and must not hide a fault for minutes.
  std::uint32_t losses_needed() const { return std::min(whole_run(), kMostNeeded); }
  static constexpr std::uint32_t kMostNeeded = 40;
  /// The same K where nothing at all comes back, on no flow: bursts of this line may last as long. At most
  /// kLongestBurst.
  std::uint32_t whole_run() const { return needed_ != 0 ? needed_ : count_run(); }
  static constexpr std::uint32_t kLongestBurst = 120;
  /// So many probes of one flow, sent one by one beside what else is known, are lost by chance once in
  /// 170,000 times: 4 up to 5 % loss, 10 at 30 %.
  std::uint32_t no_chance() const;

 private:
  void forget();
  double ratio() const;
  std::uint32_t count_run() const;

  mutable std::uint32_t needed_ = 0;  ///< what whole_run() said; 0 once it may be something else
  mutable double needed_at_ = 0;      ///< p, then
  double probes_ = 0;
  double losses_ = 0;
  /// How often a loss follows a loss.
  struct Pairs {
    void record(std::uint32_t losses, double memory);
    double ratio(double p) const;
    double considered = 0;  ///< losses that `after_loss` is of
    double after_loss = 0;
  };
  Pairs pairs_;
  Pairs late_pairs_;  ///< of the newest few losses: the weather may have changed
};

}  // namespace ue::probe
