#pragma once
#include <string_view>

#include "verdict/evidence.h"

namespace ue::verdict {

/// What an operator should do about a verdict, in one line; empty where there is nothing to do.
std::string_view advice(Verdict v);

}  // namespace ue::verdict
