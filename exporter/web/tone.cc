#include "web/tone.h"

namespace ue::web {

using verdict::Verdict;

Tone tone(Verdict v) {
  switch (v) {
    case Verdict::healthy:
      return {"good", "fgood", "✔"};
    case Verdict::unknown:
      return {"dim", "fdim", "…"};
    case Verdict::lossy:
    case Verdict::short_mapping:
    case Verdict::new_flows_blocked:
    case Verdict::mtu_blackhole:
      return {"warn", "fwarn", "▲"};
    default:
      return {"bad", "fbad", "✖"};
  }
}

void add_verdict(Html& page, Verdict v) {
  const Tone t = tone(v);
  page.raw("<b class=\"").raw(t.css).raw("\">").raw(t.sign).raw(" ").text(verdict::name(v)).raw("</b>");
}

}  // namespace ue::web
