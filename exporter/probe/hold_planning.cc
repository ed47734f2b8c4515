// What the ladder tries next.
#include <algorithm>

#include "probe/hold_ladder.h"

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr int kRepeats = 2;
constexpr Nanos kResolution = 1s;
constexpr std::size_t kLeastConfirming = 3;
constexpr int kMostConfirmations = 6;

}  // namespace

void HoldLadder::plan_pattern(Pattern p) {
  // A STUN server has answered before it can be asked to answer late.
  if (settings_.stun && p != Pattern::exchange && p != Pattern::stream) return;
  Batch batch;
  for (const auto hold : settings_.holds) {
    if (hold > HoldRung::longest(p)) break;
    for (int i = 0; i < kRepeats && batch.size() + 1 < kMostRungs; ++i) batch.push_back({p, hold});
  }
  if (!batch.empty()) planned_.push_front(std::move(batch));
}

/// In front of what is planned, so the last of them is the first: its lifetime is what a tunnel needs.
void HoldLadder::plan_full_set() {
  for (const auto p : kPlanned) plan_pattern(p);
}

/// Whole seconds inside the bracket.
bool HoldLadder::plan_refinement(Pattern p) {
  const auto& b = lifetime(p).bracket();
  if (!b || !b->upper || *b->upper - b->lower <= kResolution) return false;
  const auto width = (*b->upper - b->lower) / 1s;
  // Trains and streams of packets are dear.
  const std::int64_t most = p == Pattern::inbound || p == Pattern::active ? 3 : (kMostRungs - 1) / kRepeats;
  const auto points = std::min(most, width - 1);
  Batch batch;
  for (std::int64_t i = 1; i <= points; ++i) {
    const Nanos hold = std::chrono::floor<std::chrono::seconds>(b->lower) + (width * i / (points + 1)) * 1s;
    if (hold <= b->lower || hold >= *b->upper) continue;
    for (int n = 0; n < kRepeats; ++n) batch.push_back({p, hold});
  }
  if (batch.empty()) return false;
  planned_.push_front(std::move(batch));
  return true;
}

/// A bound that could still be chance is tried again at once, some times.
bool HoldLadder::plan_confirmation(Pattern p) {
  const auto& b = lifetime(p).bracket();
  if (!b || !b->upper || b->proven(path_.losses_needed) || confirmations_ == kMostConfirmations) return false;
  ++confirmations_;
  const auto missing = path_.losses_needed - std::min(b->failures, path_.losses_needed);
  Batch batch(std::clamp<std::size_t>(missing, kLeastConfirming, kMostRungs - 5), Plan{p, *b->upper});
  // The two holds next to it, where the truth may be shorter still.
  auto shorter = std::lower_bound(settings_.holds.begin(), settings_.holds.end(), *b->upper);
  for (int i = 0; i < 2 && shorter != settings_.holds.begin(); ++i) {
    --shorter;
    if (contradicted_.contains(p)) batch.insert(batch.end(), kRepeats, Plan{p, *shorter});
  }
  planned_.push_front(std::move(batch));
  return true;
}

/// The shortest hold that is as long as the tunnel's own silence.
Nanos HoldLadder::needed_hold() const {
  const auto h = std::lower_bound(settings_.holds.begin(), settings_.holds.end(), path_.keepalive);
  return h == settings_.holds.end() ? settings_.holds.back() : *h;
}

/// Do the brackets still stand? Both sides of those that matter, twice, and what the tunnel needs: that tells
/// sooner than a long hold does.
bool HoldLadder::plan_check() {
  Batch batch;
  for (const auto p : {Pattern::stream, Pattern::solitary}) {
    const auto& b = lifetime(p).bracket();
    if (!b) continue;
    for (int i = 0; i < kRepeats; ++i) {
      if (b->lower > Nanos::zero()) batch.push_back({p, b->lower});
      if (b->upper) batch.push_back({p, *b->upper});
      if (p == Pattern::stream && needed_hold() < b->lower) batch.push_back({p, needed_hold()});
    }
  }
  if (batch.empty()) return false;
  planned_.push_back(std::move(batch));
  return true;
}

/// Once both rungs of a hold stayed silent that should have come back, or those of two holds (of one where
/// there is no time), longer ones of the same pattern have nothing to add.
void HoldLadder::drop_hopeless() {
  for (const auto p : {Pattern::stream, Pattern::solitary, Pattern::exchange}) {
    std::map<Nanos, int> silent;
    for (const auto& r : rungs_) {
      if (r.pattern() == p && r.outcome() == HoldRung::Outcome::silent) ++silent[r.hold()];
    }
    const auto& known = lifetime(p).bracket();
    std::optional<Nanos> enough;
    int holds = 0;
    for (const auto& [hold, count] : silent) {
      if (count < kRepeats) continue;
      ++holds;
      const bool contradicts = known && hold <= known->lower;
      if (contradicts && !contradicted_.contains(p)) contradicted_[p] = hold;
      if (!enough && (holds == 2 || settings_.hasty || contradicts)) enough = hold;
    }
    if (!enough) continue;
    for (auto& r : rungs_) {
      if (r.pattern() != p || r.hold() <= *enough || r.outcome() != HoldRung::Outcome::running) continue;
      r.give_up();
      close(r);
    }
    std::erase_if(unopened_, [&](const auto& plan) { return plan.pattern == p && plan.hold > *enough; });
  }
}

/// A bound that could be chance is tried again before anything is built on it; then it is made sharp.
void HoldLadder::follow_up(const Now& now, Pattern p) {
  if (matters(p) && plan_confirmation(p)) return;
  lifetime(p).settle();
  const auto b = lifetime(p).bracket();
  if (!b) return;
  auto& known = known_[static_cast<std::size_t>(p)];
  const auto before = std::exchange(known, b);
  const bool shorter = before && b->upper && *b->upper <= before->lower;
  const bool longer = before && before->upper && b->lower >= *before->upper;
  const bool doubtful =
      before && !b->upper && b->lower < before->lower;  // it was contradicted, and that was chance
  if (shorter) lifetime(p).forget_from(*b->upper);
  if (longer) lifetime(p).forget_longer(b->lower);
  if (!shorter && !longer && !doubtful) {
    plan_refinement(p);
    return;
  }
  plan_pattern(p);
  if (matters(p) && !doubtful) next_full_ = now.mono;  // the other patterns may have changed with it
}

}  // namespace ue::probe
