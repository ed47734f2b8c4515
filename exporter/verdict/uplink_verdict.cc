#include "verdict/uplink_verdict.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace ue::verdict {

namespace {

/// Best supported first: what works through one path exonerates the uplink from what another path merely
/// lacks, except for faults that were proven by the far end. One path of an uplink measures how long its NAT
/// remembers, for all of them: the others' health does not speak of that.
constexpr std::array kSupport{Verdict::local_fault,    Verdict::short_mapping, Verdict::healthy,
                              Verdict::lossy,          Verdict::mtu_blackhole, Verdict::new_flows_blocked,
                              Verdict::stuck_mapping,  Verdict::one_way,       Verdict::return_lost,
                              Verdict::udp_blocked,    Verdict::no_return,     Verdict::down,
                              Verdict::reflector_down, Verdict::unknown};

auto rank(Verdict v) { return std::find(kSupport.begin(), kSupport.end(), v) - kSupport.begin(); }

using Paths = std::vector<PathOpinion>;

Paths::const_iterator best_supported(const Paths& paths) {
  const auto best = std::min_element(paths.begin(), paths.end(), [](const auto& a, const auto& b) {
    return rank(a.conclusion.verdict) < rank(b.conclusion.verdict);
  });
  const auto v = best->conclusion.verdict;
  if ((v != Verdict::healthy && v != Verdict::lossy) || best->large_pass) return best;
  // Nobody asked it about large packets: who did knows more.
  const auto black_hole = std::find_if(paths.begin(), paths.end(), [](const auto& p) {
    return p.conclusion.verdict == Verdict::mtu_blackhole;
  });
  return black_hole != paths.end() ? black_hole : best;
}

}  // namespace

Conclusion combine(const std::vector<PathOpinion>& paths, const std::string& preferred,
                   const Conclusion& fault) {
  if (paths.empty()) return fault;
  const auto best = best_supported(paths);
  const auto own = std::find_if(paths.begin(), paths.end(), [&](const auto& p) {
    return !preferred.empty() && p.reflector == preferred && p.conclusion.verdict != Verdict::unknown;
  });
  // The tunnel's own reflector speaks for the path, but its death does not speak about the uplink.
  const auto chosen = own != paths.end() && own->conclusion.verdict != Verdict::reflector_down ? own : best;
  Conclusion result = chosen->conclusion;
  for (const auto& p : paths) {
    if (p.conclusion.verdict == result.verdict || p.conclusion.verdict == Verdict::unknown) continue;
    result.why += fmt::format(" The path to {} is {}.", p.reflector, name(p.conclusion.verdict));
  }
  return result;
}

}  // namespace ue::verdict
