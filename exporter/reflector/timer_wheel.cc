#include "reflector/timer_wheel.h"

#include <algorithm>

namespace ue::reflector {

TimerWheel::TimerWheel(std::uint32_t capacity) : entries_(capacity), slots_(kSlots, kNone) {}

std::optional<std::uint32_t> TimerWheel::add(Instant now, Instant due) {
  if (due - now > kSpan) return std::nullopt;
  if (size_ == 0) reached_ = std::max(reached_, tick_of(now));  // nothing waits in the ticks between
  const auto tick = std::max(tick_of(due), reached_);
  std::uint32_t name = free_;
  if (name != kNone) {
    free_ = entries_[name].next;
  } else if (unused_ < entries_.size()) {
    name = unused_++;
  } else {
    return std::nullopt;
  }
  entries_[name] = {tick, slot(tick)};
  slot(tick) = name;
  ++size_;
  return name;
}

/// Moves what is due out of one slot: each is looked at once a turn.
void TimerWheel::collect(std::int64_t tick, std::int64_t last) {
  for (auto* link = &slot(tick); *link != kNone;) {
    auto& entry = entries_[*link];
    if (entry.tick > last) {
      link = &entry.next;
      continue;
    }
    const auto name = *link;
    *link = entry.next;
    entry.next = ready_;
    ready_ = name;
  }
}

std::optional<std::uint32_t> TimerWheel::take(Instant now) {
  const auto last = tick_of(now);
  if (ready_ == kNone && size_ > 0) {
    // After a long sleep each slot needs to be looked at once only.
    reached_ = std::max(reached_, last - static_cast<std::int64_t>(kSlots) + 1);
    while (ready_ == kNone && reached_ <= last) collect(reached_++, last);
  }
  if (ready_ == kNone) {
    reached_ = last;  // it may still be added to
    return std::nullopt;
  }
  const auto name = ready_;
  ready_ = entries_[name].next;
  entries_[name].next = free_;
  free_ = name;
  --size_;
  return name;
}

std::optional<Instant> TimerWheel::next() const {
  if (size_ == 0) return std::nullopt;
  if (ready_ != kNone) return Instant(reached_ * kTick);
  for (auto tick = reached_; tick < reached_ + static_cast<std::int64_t>(kSlots); ++tick) {
    if (slots_[static_cast<std::size_t>(tick) % kSlots] != kNone) return Instant(tick * kTick);
  }
  return std::nullopt;
}

}  // namespace ue::reflector
