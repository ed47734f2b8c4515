#include "reflector/held_replies.h"

#include <algorithm>

namespace ue::reflector {

namespace {

constexpr std::size_t kPrefixV4 = 3;  // octets: /24
constexpr std::size_t kPrefixV6 = 6;  // /48

}  // namespace

std::string_view name(HoldOutcome outcome) {
  static constexpr std::array<std::string_view, kHoldOutcomes> kNames{
      "held",         "sent",     "dropped",     "not_validated", "too_long",
      "session_full", "key_full", "prefix_full", "table_full"};
  return kNames[static_cast<std::size_t>(outcome)];
}

HeldReplies::HeldReplies(const config::ReflectorLimits& limits, std::shared_ptr<SharedCounts> counts)
    : wheel_(limits.max_holds), counts_(std::move(counts)) {
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

HoldOutcome HeldReplies::hold(Instant since, Nanos time, const Datagram& datagram, Session& session) {
  if (datagram.bytes.size() > Held::kMaxRequest) return HoldOutcome::too_long;
  if (session.holding >= kMaxPerSession) return HoldOutcome::session_full;
  const auto prefix = prefix_of(datagram.source.address);
  if (!counts_->holds.take(session.id.owner, per_key_limit_)) return HoldOutcome::key_full;
  if (!counts_->holds_by_prefix.take(prefix, per_prefix_limit_)) {
    counts_->holds.give_back(session.id.owner);
    return HoldOutcome::prefix_full;
  }
  const auto due = since + time;
  const auto place = wheel_.add(since, due);
  if (!place) {
    release(session.id.owner, prefix);
    return HoldOutcome::table_full;
  }
  if (*place == held_.size()) held_.emplace_back();
  auto& h = held_[*place];
  std::copy(datagram.bytes.begin(), datagram.bytes.end(), h.octets.begin());
  h.size = datagram.bytes.size();
  h.datagram = datagram;
  h.session = session.id;
  h.since = since;
  h.due = due;
  ++session.holding;
  return HoldOutcome::held;
}

void HeldReplies::release(const Owner& owner, Prefix prefix) {
  counts_->holds.give_back(owner);
  counts_->holds_by_prefix.give_back(prefix);
}

const Held* HeldReplies::take(Instant now) {
  const auto place = wheel_.take(now);
  if (!place) return nullptr;
  auto& h = held_[*place];
  h.datagram.bytes = ByteView(h.octets).first(h.size);
  release(h.session.owner, prefix_of(h.datagram.source.address));
  return &h;
}

}  // namespace ue::reflector
