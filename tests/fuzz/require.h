#pragma once
#include <cstdio>
#include <cstdlib>

namespace ue::fuzz {

/// An invariant that holds of every input; unlike assert() also in a release build.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "invariant broken: %s\n", what);
  std::abort();
}

}  // namespace ue::fuzz
