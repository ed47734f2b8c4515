#include "verdict/table.h"

#include <iterator>
#include <utility>

namespace ue::verdict {

namespace {

struct Row {
  Verdict verdict;
  bool (*matches)(const Facts&);
};

bool yes(Tri t) { return t == Tri::yes; }
bool no(Tri t) { return t == Tri::no; }

bool udp_dead(const Facts& f) { return no(f.steady) && no(f.fresh); }
bool replies_lost(const Facts& f) { return no(f.steady) && yes(f.forward); }

constexpr Row kTable[] = {
    {Verdict::local_fault, [](const Facts& f) { return no(f.local); }},
    {Verdict::reflector_down,
     [](const Facts& f) { return yes(f.link) && no(f.reflector) && yes(f.refused); }},
    {Verdict::down,
     [](const Facts& f) {
       return no(f.link) || (udp_dead(f) && no(f.tcp) && !yes(f.forward) && !yes(f.refused));
     }},
    {Verdict::udp_blocked, [](const Facts& f) { return udp_dead(f) && no(f.forward) && yes(f.tcp); }},
    {Verdict::return_lost,
     [](const Facts& f) { return replies_lost(f) && f.successors == Successors::unknown; }},
    {Verdict::one_way, [](const Facts& f) { return replies_lost(f) && f.successors == Successors::died; }},
    {Verdict::stuck_mapping,
     [](const Facts& f) { return replies_lost(f) && f.successors == Successors::outlived; }},
    {Verdict::new_flows_blocked, [](const Facts& f) { return yes(f.steady) && no(f.fresh); }},
    {Verdict::mtu_blackhole, [](const Facts& f) { return yes(f.steady) && no(f.size); }},
    {Verdict::no_return, [](const Facts& f) { return udp_dead(f) && yes(f.tcp) && no(f.attributable); }},
    {Verdict::short_mapping, [](const Facts& f) { return yes(f.steady) && yes(f.short_lived); }},
    {Verdict::lossy, [](const Facts& f) { return yes(f.steady) && yes(f.lossy); }},
    {Verdict::healthy, [](const Facts& f) { return yes(f.steady) && yes(f.fresh); }},
};

/// Row by row without a loop, in which each condition would be a call.
template <std::size_t... kRows>
Verdict first_match(const Facts& facts, std::index_sequence<kRows...>) {
  auto verdict = Verdict::unknown;
  static_cast<void>(((kTable[kRows].matches(facts) && (verdict = kTable[kRows].verdict, true)) || ...));
  return verdict;
}

}  // namespace

Verdict decide(const Facts& facts) {
  return first_match(facts, std::make_index_sequence<std::size(kTable)>());
}

}  // namespace ue::verdict
