#include "reflector/validated_sources.h"

#include <algorithm>
#include <string_view>

namespace ue::reflector {

ValidatedSources::ValidatedSources(std::size_t sources) : sets_((sources + kWays - 1) / kWays) {}

std::size_t ValidatedSources::set_of(const Owner& owner, const IpAddress& source) const {
  const auto& b = source.bytes();
  const auto hash = std::hash<std::string_view>{}({reinterpret_cast<const char*>(b.data()), b.size()});
  return (hash ^ (owner.gateway_id * 0x9e3779b97f4a7c15) ^ owner.key_id) % sets_.size();
}

void ValidatedSources::validate(Instant now, const Owner& owner, const IpAddress& source) {
  auto& set = sets_[set_of(owner, source)];
  auto entry = std::find_if(set.begin(), set.end(),
                            [&](const Entry& e) { return e.owner == owner && e.source == source; });
  if (entry == set.end())
    entry = std::min_element(set.begin(), set.end(),
                             [](const auto& a, const auto& b) { return a.until < b.until; });
  *entry = {owner, source, now + kValid};
}

bool ValidatedSources::valid(Instant now, const Owner& owner, const IpAddress& source) const {
  const auto& set = sets_[set_of(owner, source)];
  return std::any_of(set.begin(), set.end(),
                     [&](const Entry& e) { return e.until > now && e.owner == owner && e.source == source; });
}

}  // namespace ue::reflector
