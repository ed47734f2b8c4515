#include "verdict/judge.h"

#include "verdict/sentence.h"
#include "verdict/table.h"

namespace ue::verdict {

namespace {

/// As long as a probe may stay unsettled: after that, evidence that still says nothing is no longer "not
/// yet".
constexpr Nanos kPatience = std::chrono::seconds(120);
/// Of a bad verdict. A link that is re-dialled voids the window, and on a path without a return a steady flow
/// may then take 40 losses, one in six seconds (RFC 8085), to show that nothing has changed.
constexpr Nanos kPatienceWithBad = std::chrono::seconds(300);

}  // namespace

bool is_bad(Verdict v) {
  switch (v) {
    case Verdict::reflector_down:
    case Verdict::down:
    case Verdict::udp_blocked:
    case Verdict::return_lost:
    case Verdict::one_way:
    case Verdict::stuck_mapping:
    case Verdict::new_flows_blocked:
    case Verdict::no_return:
      return true;
    default:
      return false;
  }
}

bool Judge::update(Instant now, const Evidence& evidence, bool recovered) {
  if (!started_) {
    started_ = true;
    supported_ = now;
    conclusion_.why = explain(Verdict::unknown, evidence);
  }
  Verdict next = decide(evidence.facts);
  const Nanos patience = is_bad(conclusion_.verdict) ? kPatienceWithBad : kPatience;
  if (next == Verdict::unknown) {
    if (conclusion_.verdict == Verdict::unknown || now - supported_ < patience) return false;
  } else {
    supported_ = now;
    if (is_bad(conclusion_.verdict) && !is_bad(next) && next != Verdict::local_fault && !recovered)
      return false;
  }
  const bool changed = next != conclusion_.verdict;
  // A link that is gone needs no trace.
  const auto place = evidence.facts.link == Tri::no ? Location{} : locate(next, evidence.trail);
  conclusion_ = Conclusion{next, explain(next, evidence), place.scope};
  if (!place.evidence.empty()) conclusion_.why += " " + place.evidence;
  return changed;
}

}  // namespace ue::verdict
