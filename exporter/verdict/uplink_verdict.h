#pragma once
#include <string>
#include <vector>

#include "verdict/evidence.h"

namespace ue::verdict {

struct PathOpinion {
  std::string reflector;
  Conclusion conclusion;
  bool large_pass = false;  ///< packets as large as a tunnel's are known to pass
};

/// One verdict for an uplink out of those of its paths: the path of `preferred` (the tunnel's own reflector)
/// where it is known, else the best-supported conclusion: a path that works proves the uplink; a reflector's
/// own death says nothing about it, and a path that was never asked about large packets says nothing about
/// these. Where paths differ, the sentence says so. `fault` is what an uplink without paths is told by.
Conclusion combine(const std::vector<PathOpinion>& paths, const std::string& preferred,
                   const Conclusion& fault);

}  // namespace ue::verdict
