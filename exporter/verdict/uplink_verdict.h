#pragma once
#include <string>
#include <vector>

#include "verdict/evidence.h"

namespace ue::verdict {

struct PathOpinion {
  std::string reflector;
  Conclusion conclusion;
};

/// One verdict for an uplink out of those of its paths: the path of `preferred` (the tunnel's own reflector)
/// where it is known, else the best-supported conclusion: a path that works proves the uplink; a reflector's
/// own death says nothing about it. Where paths differ, the sentence says so. `fault` is what an uplink
/// without paths is told by.
Conclusion combine(const std::vector<PathOpinion>& paths, const std::string& preferred,
                   const Conclusion& fault);

}  // namespace ue::verdict
