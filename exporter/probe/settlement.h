#pragma once
#include <utility>
#include <vector>

#include "probe/flow.h"
#include "probe/loss_window.h"
#include "stamp/query.h"

namespace ue::probe {

/// Settles each probe once: answered, lost forward, lost on return, or unattributed for good. Directions come
/// from the reflector's own word; where it has none, from the gap that its counter shows between two replies.
/// Missing replies alone are never forward loss. Passive; owned by PathProber, one per path.
class Settlement {
 public:
  struct Settled {
    FlowKind kind;
    Outcome outcome;
    std::uint32_t run_position;  ///< of a loss: how many losses in a row before it
    Instant sent;
  };

  /// Probes younger than this may still arrive.
  static constexpr Nanos kGrace = std::chrono::seconds(2);
  /// From here on the counters of two replies are believed where no answer came over TCP.
  static constexpr Nanos kAskingIsOver = std::chrono::seconds(90);
  static constexpr Nanos kGiveUp = std::chrono::seconds(120);

  /// Which instance of the reflector is behind the address. Learned from replies (`over_udp`) and from query
  /// answers.
  void learn_instance(std::uint64_t instance_id, Instant now, bool over_udp);
  std::uint64_t instance_id() const { return instance_id_; }
  Instant instance_since() const { return instance_since_; }
  /// May `answer` be believed where it says that packets did not arrive? Not from another instance than the
  /// one that our UDP reached: it never saw them.
  bool denies_credibly(std::uint64_t answering_instance) const;

  /// Attributes what `report` tells of the probes sent at least kGrace before `asked`.
  void apply_report(Flow& flow, const stamp::FlowReport& report, std::uint64_t answering_instance,
                    Instant asked);
  /// Removes what is settled, and gives up on what has been open too long.
  void sweep(Flow& flow, Instant now);
  /// Everything still open is unattributed: the socket was rebuilt or the machine slept.
  void void_window(Flow& flow);

  void count_sent(FlowKind kind) { ++counters(kind).sent; }
  void count_answer(FlowKind kind, Instant sent);
  const FlowCounters& counters(FlowKind kind) const { return counters_[static_cast<std::size_t>(kind)]; }
  /// What has been settled since the last call. `room`: see hand_out().
  std::vector<Settled> take(std::vector<Settled> room = {}) { return hand_out(settled_, std::move(room)); }

  /// True where the reflector numbers its replies by itself (stateful, RFC 8762 §4): its numbers fell behind
  /// ours once.
  void note_stateful() { stateful_ = true; }

 private:
  FlowCounters& counters(FlowKind kind) { return counters_[static_cast<std::size_t>(kind)]; }
  void settle(const Pending& probe, Outcome outcome);
  void settle_gap(Flow& flow, std::size_t first, std::size_t answered);

  FlowCounters counters_[2];
  std::vector<Settled> settled_;
  std::uint64_t instance_id_ = 0;
  std::uint64_t udp_instance_ = 0;  ///< 0 while no packet of ours is known to have reached any instance
  Instant instance_since_{};
  bool stateful_ = false;
};

}  // namespace ue::probe
