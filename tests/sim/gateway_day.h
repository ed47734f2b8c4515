#pragma once
#include <string>
#include <vector>

#include "sim/nat.h"

/// A day of a gateway on which everything happens that is no fault of the return path, drawn from a seed.
namespace ue::sim {

/// The weather (loss from 0 to 30 % each way, bursts, jitter, stragglers, duplicates) changes every few
/// hours; the NAT re-binds, the link is re-dialled, the reflector restarts, the clock is stepped, the machine
/// sleeps, and now and then nothing passes at all. A hold ladder and a size check run beside the prober, as
/// in the agent.
class GatewayDay {
 public:
  GatewayDay(std::uint64_t seed, Nanos length);

  void play();
  VirtualPath& path() { return path_; }
  /// Verdicts that the day does not justify: anything but healthy, lossy where one direction really lost more
  /// than the threshold for a minute, and down in an outage; and outages of more than a minute that were not
  /// called down.
  const std::vector<std::string>& wrong() const { return wrong_; }
  std::size_t outages() const { return outages_.size(); }
  std::string story() const;

 private:
  struct Span {
    Nanos begin;
    Nanos end;
  };
  void change_weather();
  void schedule_often(Nanos mean, std::function<void()> event);
  void begin_outage();
  void judge_changes();
  bool was_lossy(Nanos at) const;
  double between(double low, double high) { return low + (high - low) * chance(); }
  double chance() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  std::mt19937_64 random_;
  Nanos length_;
  VirtualPath path_;
  TimedNat nat_;
  std::vector<Span> outages_;
  std::vector<Span> interruptions_;  ///< sleeps and re-dialled links
  std::vector<std::string> weather_;
  std::vector<std::string> wrong_;
};

}  // namespace ue::sim
