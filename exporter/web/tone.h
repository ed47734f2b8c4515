#pragma once
#include "verdict/evidence.h"
#include "web/html.h"

namespace ue::web {

/// How good a verdict is, as the page shows it. The sign is for those who do not see the colour.
struct Tone {
  Html::Markup css;   ///< of text and cards
  Html::Markup fill;  ///< of charts
  Html::Markup sign;
};

Tone tone(verdict::Verdict v);
/// "✖ one_way", in its colour.
void add_verdict(Html& page, verdict::Verdict v);

}  // namespace ue::web
