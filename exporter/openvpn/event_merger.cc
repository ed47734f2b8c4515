#include "openvpn/event_merger.h"

#include <algorithm>
#include <functional>
#include <string_view>

namespace ue::openvpn {

namespace {

using Kind = Event::Kind;

/// Between two channels that both have the daemon's own time, of one second.
constexpr Nanos kDated = std::chrono::seconds(2);
/// Where one has only the moment at which it was read: once a second, later under load.
constexpr Nanos kUndated = std::chrono::seconds(15);

/// What different words for the same event have in common.
std::uint64_t identity_of(const Event& event) {
  const std::hash<std::string_view> hash;
  std::uint64_t id = static_cast<std::uint64_t>(event.kind) * 2 + (event.of_client ? 1 : 0);
  const auto add = [&id](std::uint64_t part) { id = (id ^ part) * 0x9e37'79b9'7f4a'7c15 + (id >> 32); };
  if (event.kind == Kind::state_reported) add(static_cast<std::uint64_t>(event.state));
  if (event.kind == Kind::transport_error) add(static_cast<std::uint64_t>(event.code));
  // A client's end is known by its name; its address has many ways to be written.
  if (event.of_client) add(hash(event.peer.empty() ? event.endpoint : event.peer));
  return id;
}

std::uint8_t bit_of(Channel channel) {
  return static_cast<std::uint8_t>(1U << static_cast<unsigned>(channel));
}

}  // namespace

/// Marks the oldest entry that `entry`'s channel has not told yet; false: there is none.
bool EventMerger::match(Generation& among, std::uint64_t identity, const Entry& entry) {
  const auto alike = among.find(identity);
  if (alike == among.end()) return false;
  for (Entry& known : alike->second) {
    const Nanos limit = entry.dated && known.dated ? kDated : kUndated;
    if ((known.told & entry.told) != 0 || std::chrono::abs(known.at - entry.at) > limit) continue;
    known.told |= entry.told;
    return true;
  }
  return false;
}

bool EventMerger::is_new(const Event& event, Channel channel, bool history, const Now& now) {
  // A status tells when a client's first packet came, not when its handshake was done.
  const bool dated = event.at && channel != Channel::status;
  const Entry entry{event.at.value_or(now.wall), dated, bit_of(channel)};
  const std::uint64_t identity = identity_of(event);
  if (match(old_, identity, entry) || match(young_, identity, entry)) return false;
  if (history && newest_ && entry.at < *newest_) return false;
  newest_ = newest_ ? std::max(*newest_, entry.at) : entry.at;
  if (young_.size() >= kGeneration && !young_.contains(identity)) {
    old_ = std::move(young_);
    young_.clear();
  }
  auto& alike = young_[identity];
  alike.push_back(entry);
  if (alike.size() > kAlike) alike.erase(alike.begin());
  return true;
}

void EventMerger::retell(Channel channel) {
  for (Generation* generation : {&old_, &young_}) {
    for (auto& [identity, alike] : *generation) {
      for (Entry& entry : alike) entry.told = static_cast<std::uint8_t>(entry.told & ~bit_of(channel));
    }
  }
}

}  // namespace ue::openvpn
