#include "probe/inquest.h"

#include <algorithm>

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kOutlivesAnyway = 10min;
constexpr Nanos kProof = 25s;
constexpr std::uint32_t kDying = 3;  // losses in a row that make a flow look dead
constexpr Nanos kBeside = 2s;

bool opened_since(const Flow& flow, Instant since) {
  return flow.opened >= since && flow.role != Role::witness;
}

}  // namespace

Nanos Inquest::proof_age() const { return dies_at_ ? std::max<Nanos>(kProof, *dies_at_ * 2) : Nanos(kProof); }

void Inquest::update(Instant now, const Flows& flows, FlowHandle successor, std::uint32_t losses_needed) {
  look_for_life(now, flows, losses_needed);
  const auto* s = find_flow(flows, successor);
  if (s == nullptr || successors_ == Successors::died) return;
  const Flow& flow = *s;
  // A tenth and 5 s more than the predecessor had: a limit on age must not look like a cure.
  const Nanos enough = std::min<Nanos>(kOutlivesAnyway, predecessor_age_ + predecessor_age_ / 10 + 5s);
  if (flow.loss_run() == 0 && flow.answered_age() && *flow.answered_age() > enough) {
    successors_ = Successors::outlived;
    outlived_ = flow.age(now);
  } else if (flow.loss_run() >= kDying) {
    look_for_death(flows, flow, losses_needed);
  }
}

void Inquest::note_answer(Instant sent, Nanos pause) {
  if (sent <= since_) return;
  if (sent - newest_beside_ > pause) answers_beside_ = 0;
  if (answers_beside_++ == 0) first_beside_ = sent;
  newest_beside_ = std::max(newest_beside_, sent);
}

std::optional<Instant> Inquest::answered_beside() const {
  if (answers_beside_ < kDying || newest_beside_ - first_beside_ < kBeside) return std::nullopt;
  return first_beside_;
}

/// The successor must have fallen silent, and no flow opened since may be answered at the age at which it
/// did; a younger one speaks neither for nor against. Losses are pooled: there must be too many for chance.
void Inquest::look_for_death(const Flows& flows, const Flow& successor, std::uint32_t losses_needed) {
  const auto age = successor.answers() == 0 ? Nanos::zero() : *successor.dead_age();
  std::uint32_t losses = 0;
  for (const auto& flow : flows) {
    if (!opened_since(*flow, since_)) continue;
    if (flow->loss_run() == 0 && flow->answered_age() && *flow->answered_age() >= age) return;
    losses += flow->loss_run();
  }
  if (losses < losses_needed) return;
  successors_ = Successors::died;
  outlived_.reset();
  dies_at_ = age;
}

void Inquest::look_for_life(Instant now, const Flows& flows, std::uint32_t losses_needed) {
  for (const auto& flow : flows) {
    if (!opened_since(*flow, since_)) continue;
    if (flow->loss_run() >= dying(losses_needed)) {
      lived_.erase(flow->handle);
      // Whatever died before the first proof of life is what the trouble was.
      if (std::any_of(lived_.begin(), lived_.end(),
                      [&](const auto& l) { return *flow->first_loss() > l.second; }))
        lived_.clear();
    } else if (flow->loss_run() == 0 && flow->answered_age() && *flow->answered_age() >= proof_age()) {
      lived_.try_emplace(flow->handle, now);
    }
  }
}

}  // namespace ue::probe
