#include "probe/mapping_lifetime.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace ue::probe {

std::string_view name(Pattern p) {
  switch (p) {
    case Pattern::solitary:
      return "solitary";
    case Pattern::exchange:
      return "exchange";
    case Pattern::stream:
      return "stream";
    case Pattern::inbound:
      return "inbound";
    case Pattern::active:
      return "active";
  }
  return "solitary";
}

std::optional<Nanos> governing(Pattern p, const TrackerTimeouts& own) {
  switch (p) {
    case Pattern::solitary:
    case Pattern::exchange:
      return own.unreplied;
    case Pattern::stream:
      return own.stream;
    case Pattern::inbound:  // Linux is kept awake by packets of either direction
    case Pattern::active:
      break;
  }
  return std::nullopt;
}

bool is_own_bound(const MappingLifetime::Bracket& bracket, Nanos own) {
  // A hold is the reflector's; the reply has a way to go after it.
  constexpr Nanos kOnTheWay = std::chrono::seconds(1);
  return bracket.upper && bracket.lower < own && own <= *bracket.upper + kOnTheWay;
}

void MappingLifetime::record(Nanos hold, bool came_back, std::uint32_t batch) {
  trials_.push_back({hold, came_back, batch});
  if (trials_.size() > kRemembered) trials_.pop_front();
  stale_ = true;
}

void MappingLifetime::conclude(std::uint32_t losses_needed) {
  if (doubt_ && bracket() && bracket()->lower >= doubt_->least) {
    trials_ = std::move(doubt_->trials);
    stale_ = true;
    doubt_.reset();
  }
  const auto& b = bracket();
  const bool proven = b && b->proven(losses_needed);
  auto enough = b && b->failures >= enough_ ? enough_ : std::numeric_limits<std::uint32_t>::max();
  if (proven) enough = std::min(enough, losses_needed);
  stale_ = std::exchange(enough_, enough) != enough;
  const bool shorter = b && b->upper && believed_ && *b->upper <= believed_->lower;
  if ((shorter || doubt_) && !proven) return;
  settle();
}

void MappingLifetime::doubt(Nanos least, std::optional<Nanos> known) {
  if (!doubt_) doubt_ = Doubt{least, trials_};
  contradict(least, known);
}

void MappingLifetime::forget_from(Nanos least) {
  const auto newest = std::find_if(trials_.rbegin(), trials_.rend(),
                                   [least](const auto& t) { return t.came_back && t.hold >= least; });
  const auto later = newest.base();
  trials_.erase(std::remove_if(trials_.begin(), later, [least](const auto& t) { return t.hold >= least; }),
                later);
  stale_ = true;
}

std::optional<MappingLifetime::Bracket> MappingLifetime::find_bracket() const {
  struct Votes {
    Nanos hold;
    int alive = 0;
    int dead = 0;
  };
  std::vector<Votes> votes;  // by hold; there are few
  votes.reserve(16);
  for (auto t = trials_.rbegin(); t != trials_.rend(); ++t) {
    auto v = std::lower_bound(votes.begin(), votes.end(), t->hold,
                              [](const Votes& known, Nanos hold) { return known.hold < hold; });
    if (v == votes.end() || v->hold != t->hold) v = votes.insert(v, {t->hold});
    if (v->alive + v->dead < kMajorityOf) ++(t->came_back ? v->alive : v->dead);
  }
  if (votes.empty()) return std::nullopt;
  Bracket b;
  b.batches_needed = batches_needed_;
  b.enough = enough_;
  for (const auto& v : votes) {
    if (v.alive >= v.dead && v.alive > 0) b.lower = std::max(b.lower, v.hold);
  }
  for (const auto& v : votes) {
    if (v.hold > b.lower && v.dead >= 2) {
      b.upper = v.hold;
      break;
    }
  }
  if (b.lower == Nanos::zero() && !b.upper) return std::nullopt;  // single failures say nothing yet
  if (!b.upper) return b;
  std::optional<std::uint32_t> batch;
  for (auto t = trials_.rbegin(); t != trials_.rend(); ++t) {
    if (t->hold < *b.upper) continue;
    if (t->came_back) break;
    ++b.failures;
    if (batch != t->batch) ++b.batches;
    batch = t->batch;
  }
  return b;
}

}  // namespace ue::probe
