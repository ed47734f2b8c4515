#pragma once
#include "probe/localiser.h"
#include "probe/path_prober.h"
#include "verdict/evidence.h"

namespace ue::agent {

/// Pure: what the localiser is to do while a path is concluded to be so. `silent` is the flow that lost its
/// replies; `stream` how long a mapping lives, where that is known; `eager`: look for the NAT that forgets
/// even where no tunnel suffers from it.
probe::Localiser::Task localiser_task(const verdict::Conclusion& conclusion, const verdict::Facts& facts,
                                      std::optional<probe::FlowHandle> silent,
                                      const std::optional<probe::MappingLifetime::Bracket>& stream,
                                      bool eager);

/// Pure: what it has found, in the verdict room's words. `family` names ICMP errors by their numbers.
verdict::Trail make_trail(const probe::Localiser::Findings& findings, Family family);

/// "192.168.1.1, silent, 192.0.2.254, far end at hop 4".
std::string to_text(const Hops& hops);

}  // namespace ue::agent
