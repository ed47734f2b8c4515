#pragma once
#include "verdict/evidence.h"

namespace ue::verdict {

/// The ordered table: the first verdict whose row matches, `unknown` where none does. Pure. A row asks only
/// for what it needs, and an unknown never satisfies it, so more knowledge can refine a verdict and ignorance
/// cannot invent one.
Verdict decide(const Facts& facts);

}  // namespace ue::verdict
