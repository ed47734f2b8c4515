#pragma once
#include <optional>

#include "probe/flow.h"
#include "stamp/query.h"

namespace ue::probe {

/// What the newest query answer says about the unanswered probes of a path: did they arrive there? Passive;
/// owned by PathProber, fed one report a flow.
class Delivery {
 public:
  /// Begins a new answer, received now, to a question asked at `asked`. `credible`: this instance may say that
  /// packets did not arrive; it does so only about probes sent since `instance_since`.
  void begin(Instant now, Instant asked, bool credible, Instant instance_since);
  void add(const Flow& flow, const stamp::FlowReport& report);
  void clear() { *this = Delivery(); }

  /// yes: most of the newest unanswered probes were received; no: none of at least `losses_needed` was.
  std::optional<bool> arrived(Instant now, std::uint32_t losses_needed) const;
  std::uint32_t delivered() const { return delivered_; }
  /// Since when answers, and so TCP, have come while they deny that packets arrived; nothing where the newest
  /// one does not.
  std::optional<Instant> denying_since() const {
    return denied_in_a_row_ > 0 && !recent_arrival_ ? denying_since_ : std::nullopt;
  }
  /// The newest unanswered probes did arrive.
  bool recent() const { return recent_arrival_; }

 private:
  std::optional<Instant> asked_;
  std::optional<Instant> denying_since_;  ///< of the series of answers that this one belongs to
  bool credible_ = false;
  Instant instance_since_{};
  std::uint32_t delivered_ = 0;
  std::uint32_t denied_in_a_row_ = 0;  ///< pooled over flows: newest first, until one was received
  bool recent_arrival_ = false;
};

}  // namespace ue::probe
