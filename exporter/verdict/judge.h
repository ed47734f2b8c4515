#pragma once
#include "verdict/evidence.h"

namespace ue::verdict {

/// True for verdicts that say traffic does not get through; these clear only on proof.
bool is_bad(Verdict v);

/// Carries one path's verdict through time: the old one stands while the evidence is incomplete, and a bad
/// one clears only once new flows have lived long enough. Owned by the agent, one per path; told the time,
/// never asks for it.
class Judge {
 public:
  /// `recovered`: two flows opened since the trouble began have been answered past max(25 s, 2 N).
  /// Returns true where the verdict changed.
  bool update(Instant now, const Evidence& evidence, bool recovered);

  const Conclusion& conclusion() const { return conclusion_; }

 private:
  Conclusion conclusion_;
  Instant supported_{};  ///< when the evidence last spoke for any verdict
  bool started_ = false;
};

}  // namespace ue::verdict
