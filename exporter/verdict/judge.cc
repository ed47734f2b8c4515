#include "verdict/judge.h"

#include <utility>

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

Heard Judge::update(Instant now, const Facts& facts, bool recovered) {
  if (!started_) {
    started_ = true;
    supported_ = now;
  }
  const Verdict next = decide(facts);
  const Nanos patience = is_bad(verdict_) ? kPatienceWithBad : kPatience;
  if (next == Verdict::unknown) {
    if (verdict_ == Verdict::unknown || now - supported_ < patience) return Heard::stands;
  } else {
    supported_ = now;
    if (is_bad(verdict_) && !is_bad(next) && next != Verdict::local_fault && !recovered) return Heard::stands;
  }
  return std::exchange(verdict_, next) == next ? Heard::confirmed : Heard::changed;
}

Conclusion conclude(Verdict v, const Evidence& evidence) {
  Conclusion conclusion{v, explain(v, evidence), Scope::unknown, {}};
  if (evidence.facts.link == Tri::no) return conclusion;  // a link that is gone needs no trace
  auto place = locate(v, evidence.trail);
  conclusion.scope = place.scope;
  if (!place.evidence.empty()) conclusion.why += " " + place.evidence;
  conclusion.where = std::move(place.evidence);
  return conclusion;
}

}  // namespace ue::verdict
