#include "probe/trace.h"

#include <algorithm>

namespace ue::probe {

Trace::Trace(unsigned most, std::optional<Hops> usual)
    : most_(std::min(most, kMostHops)), usual_(std::move(usual)) {}

bool Trace::goes_on() const {
  const auto tried = static_cast<unsigned>(hops_.routers.size());
  if (tried >= most_ || (hops_.length && tried + 1 >= *hops_.length)) return false;
  unsigned dark = 0;
  for (unsigned hop = tried; hop >= 1 && !hops_.at(hop); --hop) dark += should_answer(hop) ? 1 : 0;
  return dark < (usual_ ? kDarkKnown : kDarkUnknown);
}

std::optional<unsigned> Trace::next() {
  if (goes_on()) {
    hops_.routers.emplace_back();
    tries_.push_back(1);
    return static_cast<unsigned>(hops_.routers.size());
  }
  std::optional<unsigned> again;
  for (unsigned hop = 1; hop <= hops_.routers.size(); ++hop) {
    if (hops_.at(hop) || !should_answer(hop) || tries_[hop - 1] >= kTries) continue;
    if (!again || tries_[hop - 1] < tries_[*again - 1]) again = hop;
  }
  if (again) ++tries_[*again - 1];
  return again;
}

void Trace::answered(unsigned ttl, const IpAddress& router) {
  if (ttl >= 1 && ttl <= hops_.routers.size()) hops_.routers[ttl - 1] = router;
}

void Trace::reached(unsigned ttl) {
  if (ttl < 1 || (hops_.length && *hops_.length <= ttl)) return;
  hops_.length = ttl;
  hops_.routers.resize(std::min<std::size_t>(hops_.routers.size(), ttl - 1));
  tries_.resize(hops_.routers.size());
}

}  // namespace ue::probe
