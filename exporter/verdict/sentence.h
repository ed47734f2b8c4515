#pragma once
#include <string>

#include "verdict/evidence.h"

namespace ue::verdict {

/// One sentence that says why `v` was concluded from `evidence`, with its figures and, where there is one,
/// the cure. Pure; the same text goes to the page, the log and the notification.
std::string explain(Verdict v, const Evidence& evidence);

}  // namespace ue::verdict
