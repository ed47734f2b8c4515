#pragma once
#include <functional>
#include <map>
#include <queue>
#include <random>

#include "probe/hold_ladder.h"
#include "sim/model_reflector.h"
#include "sim/nat.h"

/// Virtual time for the hold ladder alone: the real ladder against a modelled reflector that holds replies,
/// behind a NAT with timers of its own.
namespace ue::sim {

class VirtualLadder {
 public:
  /// `hasty`: as a diagnosis of one minute sets it.
  VirtualLadder(std::uint64_t seed, NatTimers timers, double loss = 0, bool hasty = false);
  VirtualLadder(const VirtualLadder&) = delete;

  TimedNat nat;
  double loss;  ///< in each direction
  std::uint32_t losses_needed = 8;

  void run_for(Nanos time);
  void allow(bool allowed) { ladder_.set_allowed(now(), allowed); }
  const probe::HoldLadder& ladder() const { return ladder_; }
  ModelReflector& reflector() { return reflector_; }
  Nanos elapsed() const { return time_ - Instant{}; }
  std::size_t most_open() const { return most_open_; }
  std::size_t open() const { return open_.size(); }
  std::uint64_t ports() const { return ports_; }
  std::uint64_t octets() const { return octets_; }  ///< both ways, with IP and UDP headers

 private:
  struct Reply {
    Instant at;
    std::uint64_t order;
    probe::FlowHandle flow;
    Bytes packet;
    bool operator<(const Reply& o) const { return at != o.at ? at > o.at : order > o.order; }
  };
  Now now() const;
  void carry_out();
  void send(const probe::SendProbe& probe);
  void deliver(const Reply& reply);
  bool lost() { return static_cast<double>(random_() >> 11) * 0x1p-53 < loss; }

  std::mt19937_64 random_;
  std::mt19937_64 ladder_random_;
  probe::HoldLadder ladder_;
  ModelReflector reflector_;
  Instant time_{};
  std::uint64_t order_ = 0;
  std::priority_queue<Reply> replies_;
  std::map<probe::FlowHandle, bool> open_;
  std::size_t most_open_ = 0;
  std::uint64_t ports_ = 0;
  std::uint64_t octets_ = 0;
};

}  // namespace ue::sim
