#include "reflector/held_replies.h"

#include <algorithm>

namespace ue::reflector {

namespace {

constexpr std::size_t kPrefixV4 = 3;  // octets: /24
constexpr std::size_t kPrefixV6 = 6;  // /48

/// Counts down and forgets what is none.
template <typename Map, typename Key>
void release(Map& counts, const Key& key) {
  const auto found = counts.find(key);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace

std::string_view name(HoldOutcome outcome) {
  static constexpr std::array<std::string_view, kHoldOutcomes> kNames{
      "held",         "sent",     "dropped",     "not_validated", "too_long",
      "session_full", "key_full", "prefix_full", "table_full"};
  return kNames[static_cast<std::size_t>(outcome)];
}

HeldReplies::HeldReplies(const config::ReflectorLimits& limits) : wheel_(limits.max_holds) {
  held_.reserve(limits.max_holds);
  set_limits(limits);
}

void HeldReplies::set_limits(const config::ReflectorLimits& limits) {
  per_key_limit_ = limits.max_holds_per_key;
  per_prefix_limit_ = limits.max_holds_per_prefix;
}

HeldReplies::Prefix HeldReplies::prefix_of(const IpAddress& address) {
  Prefix p = address.is_v4() ? 4 : 6;
  for (std::size_t i = 0; i < (address.is_v4() ? kPrefixV4 : kPrefixV6); ++i) p = p << 8 | address.bytes()[i];
  return p;
}

HoldOutcome HeldReplies::hold(Instant now, Nanos time, const Datagram& datagram, Session& session) {
  if (datagram.bytes.size() > Held::kMaxRequest) return HoldOutcome::too_long;
  if (session.holding >= kMaxPerSession) return HoldOutcome::session_full;
  const auto prefix = prefix_of(datagram.source.address);
  const auto count = [](const auto& counts, const auto& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? 0 : found->second;
  };
  if (count(per_key_, session.id.owner) >= per_key_limit_) return HoldOutcome::key_full;
  if (count(per_prefix_, prefix) >= per_prefix_limit_) return HoldOutcome::prefix_full;
  const auto due = now + time;
  const auto place = wheel_.add(now, due);
  if (!place) return HoldOutcome::table_full;
  if (*place == held_.size()) held_.emplace_back();
  auto& h = held_[*place];
  std::copy(datagram.bytes.begin(), datagram.bytes.end(), h.octets.begin());
  h.size = datagram.bytes.size();
  h.datagram = datagram;
  h.session = session.id;
  h.since = now;
  h.due = due;
  ++per_key_[session.id.owner];
  ++per_prefix_[prefix];
  ++session.holding;
  return HoldOutcome::held;
}

const Held* HeldReplies::take(Instant now) {
  const auto place = wheel_.take(now);
  if (!place) return nullptr;
  auto& h = held_[*place];
  h.datagram.bytes = ByteView(h.octets).first(h.size);
  release(per_key_, h.session.owner);
  release(per_prefix_, prefix_of(h.datagram.source.address));
  return &h;
}

}  // namespace ue::reflector
