#include "reflector/reply_errors.h"

#include <algorithm>

namespace ue::reflector {

void ReplyErrors::note(Instant now, const SessionId& session, const IcmpAboutReply& error) {
  if (!session.flow_id) return;  // nobody could ask for it
  const Entry entry{
      session.owner, *session.flow_id, now, {error.type, error.code, error.offender, error.ttl, 0}};
  const auto known = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
    return e.flow_id == entry.flow_id && e.owner == entry.owner;
  });
  if (known != entries_.end()) {
    *known = entry;
  } else if (entries_.size() < kMost) {
    entries_.push_back(entry);
  } else {
    entries_[oldest_] = entry;
    oldest_ = (oldest_ + 1) % kMost;
  }
}

std::optional<stamp::ReplyError> ReplyErrors::find(Instant now, const Owner& owner,
                                                   std::uint64_t flow_id) const {
  for (const auto& e : entries_) {
    if (e.flow_id != flow_id || e.owner != owner) continue;
    auto error = e.error;
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - e.at);
    error.ms_ago = static_cast<std::uint64_t>(std::max<std::int64_t>(age.count(), 0));
    return error;
  }
  return std::nullopt;
}

}  // namespace ue::reflector
