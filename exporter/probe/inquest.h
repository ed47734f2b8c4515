#pragma once
#include <map>
#include <memory>

#include "probe/flow.h"
#include "probe/loss_model.h"

namespace ue::probe {

/// In the order in which they were opened, which is that of their handles.
using Flows = std::vector<std::unique_ptr<Flow>>;

/// Nothing where it is not among them. A path seldom has more than a dozen.
inline Flow* find_flow(const Flows& flows, FlowHandle handle) {
  for (const auto& flow : flows) {
    if (flow->handle == handle) return flow.get();
  }
  return nullptr;
}

enum class Successors : std::uint8_t { unknown, died, outlived };

/// Looks into the death of a steady flow: do flows that were opened since live longer, die at an age, or live
/// on for good again? Exists from the first suspicion until the path is cleared. Passive; owned by
/// PathProber.
class Inquest {
 public:
  Inquest(Instant since, Nanos predecessor_age) : since_(since), predecessor_age_(predecessor_age) {}

  /// A probe of another flow than the steady one was answered. `pause`: after as long without any, what was
  /// answered before is of another time: nothing may have come back on any flow.
  void note_answer(Instant sent, Nanos pause);
  /// Since when other flows have been answered beside the silence: at least three answers over two seconds.
  std::optional<Instant> answered_beside() const;
  Instant newest_beside() const { return newest_beside_; }  ///< when the newest of them was sent

  /// Looks at all flows opened since.
  void update(Instant now, const Flows& flows, FlowHandle successor, std::uint32_t losses_needed);

  Instant since() const { return since_; }
  Successors successors() const { return successors_; }
  std::optional<Nanos> dies_at() const { return dies_at_; }    ///< N
  std::optional<Nanos> outlived() const { return outlived_; }  ///< age of the successor that did
  /// Two flows have been answered past max(25 s, 2 N), and none has died since the first of them did.
  bool recovered() const { return lived_.size() >= 2; }
  /// The age that proves a flow alive.
  Nanos proof_age() const;

 private:
  void look_for_death(const Flows& flows, const Flow& successor, std::uint32_t losses_needed);
  void look_for_life(Instant now, const Flows& flows, std::uint32_t losses_needed);

  Instant since_;
  Nanos predecessor_age_;
  Successors successors_ = Successors::unknown;
  std::optional<Nanos> dies_at_;
  std::optional<Nanos> outlived_;
  std::map<FlowHandle, Instant> lived_;  ///< and when that was proven
  std::uint32_t answers_beside_ = 0;
  Instant first_beside_{};
  Instant newest_beside_{};
};

}  // namespace ue::probe
