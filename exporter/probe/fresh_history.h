#pragma once
#include <vector>

#include "probe/flow.h"

namespace ue::probe {

/// Were new flows answered when they started? Keeps the newest sixteen. A flow is alive from its first answer
/// on, dead once three probes are resolved and none was answered. Passive; owned by PathProber.
class FreshHistory {
 public:
  void opened(const Flow& flow);
  void update(const Flow& flow);
  /// A flow that ends undecided says nothing.
  void closed(const Flow& flow);
  void clear() { records_.clear(); }
  /// The steady flow was silent too and is answered again: what died meanwhile says nothing about new flows.
  void forgive() {
    std::erase_if(records_, [](const auto& r) { return r.state == State::dead; });
  }

  std::uint32_t dead_in_a_row() const;
  std::uint32_t losses_in_a_row() const;  ///< over those dead flows
  /// yes: the newest decided flow was answered; no: at least three in a row were not, with at least
  /// `losses_needed` losses among them; nothing otherwise.
  std::optional<bool> answered(std::uint32_t losses_needed) const;

 private:
  enum class State : std::uint8_t { undecided, alive, dead };
  struct Record {
    FlowHandle flow;
    State state;
    std::uint32_t losses;
  };
  std::vector<Record> records_;
};

}  // namespace ue::probe
