#pragma once
#include "verdict/evidence.h"

namespace ue::verdict {

/// True for verdicts that say traffic does not get through; these clear only on proof.
bool is_bad(Verdict v);

/// What evidence did to a verdict.
enum class Heard : std::uint8_t {
  stands,     ///< it says nothing, or not enough
  confirmed,  ///< it says the same again: the figures may have changed
  changed,
};

/// Carries one path's verdict through time: the old one stands while the evidence is incomplete, and a bad
/// one clears only once new flows have lived long enough. Owned by the agent, one per path; told the time,
/// never asks for it.
class Judge {
 public:
  /// `recovered`: two flows opened since the trouble began have been answered past max(25 s, 2 N).
  Heard update(Instant now, const Facts& facts, bool recovered);

  Verdict verdict() const { return verdict_; }

 private:
  Verdict verdict_ = Verdict::unknown;
  Instant supported_{};  ///< when the evidence last spoke for any verdict
  bool started_ = false;
};

/// The verdict with its reason and its place, as people read it. Costs far more than update(): for verdicts
/// that are shown.
Conclusion conclude(Verdict v, const Evidence& evidence);

}  // namespace ue::verdict
