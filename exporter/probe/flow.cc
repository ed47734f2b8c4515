#include "probe/flow.h"

#include <algorithm>
#include <utility>

namespace ue::probe {

namespace {

/// Wall minus monotonic moves only when somebody steps the clock; slewing stays far below this over one round
/// trip.
constexpr Nanos kClockStep = std::chrono::milliseconds(10);

Nanos offset(const Now& now) { return now.wall.time_since_epoch() - now.mono.time_since_epoch(); }

}  // namespace

std::uint32_t Flow::record_sent(const Now& now, bool names_session) {
  auto& p = pending.emplace_back();
  p.sequence = next_sequence_++;
  sent_at_[p.sequence % kRemembered] = now.mono;
  p.kind = kind();
  p.sent = now.mono;
  p.sent_wall = now.wall;
  p.clock_offset = offset(now);
  p.names_session = names_session;
  undecided_ = std::min(undecided_, now.mono);
  return p.sequence;
}

void Flow::record_transmit_time(std::uint32_t sequence, WallTime when) {
  const auto p = from(sequence);
  if (p != pending.end() && p->sequence == sequence && when >= p->sent_wall) p->sent_wall = when;
}

Flow::Answer Flow::record_answer(std::uint32_t sequence, std::uint32_t reflector_sequence, const Now& now,
                                 WallTime received) {
  Answer answer;
  if (sequence >= next_sequence_) return answer;
  const auto p = from(sequence);
  const bool known = p != pending.end() && p->sequence == sequence;
  answer.arrival = !known ? Arrival::settled : p->answered ? Arrival::duplicate : Arrival::answered;
  if (answer.arrival != Arrival::answered) return answer;
  p->answered = true;
  p->reflector_sequence = reflector_sequence;
  if (!p->missing) ++resolved_;
  if (p->sent == undecided_) find_undecided();
  ++answers_;
  answer.kind = p->kind;
  answer.sent = p->sent;
  const auto stepped = offset(now) - p->clock_offset;
  if (stepped < kClockStep && stepped > -kClockStep) answer.rtt = received - p->sent_wall;
  if (highest_answered_ && sequence < *highest_answered_)
    return answer;  // reordered: says nothing about the run
  highest_answered_ = sequence;
  answered_age_ = p->sent - opened;
  std::uint32_t still_missing = 0;
  first_loss_.reset();
  for (auto later = p + 1; later != pending.end(); ++later) {
    if (!later->missing || later->answered) continue;
    later->run_position = still_missing++;
    if (!first_loss_) first_loss_ = later->sent;
  }
  answer.ended_run = loss_run_ - std::min(loss_run_, still_missing + (p->missing ? 1U : 0U));
  if (still_missing > 0) {
    answer_run_ = 0;
  } else {
    answer_run_ = loss_run_ > 0 ? 1 : answer_run_ + 1;
  }
  loss_run_ = still_missing;
  return answer;
}

std::uint32_t Flow::expire(Instant now, Nanos timeout) {
  std::uint32_t count = 0;
  while (next_expiry(timeout) <= now) {
    const auto p = find_undecided();
    if (p == pending.end() || p->sent + timeout > now) break;
    lose(*p);
    ++count;
  }
  return count;
}

/// The first, from where it was on; undecided_ is moved to it.
std::vector<Pending>::iterator Flow::find_undecided() {
  auto p = std::lower_bound(pending.begin(), pending.end(), undecided_,
                            [](const Pending& probe, Instant sent) { return probe.sent < sent; });
  while (p != pending.end() && (p->missing || p->answered)) ++p;
  undecided_ = p == pending.end() ? Instant::max() : p->sent;
  return p;
}

void Flow::lose(Pending& probe) {
  probe.missing = true;
  newest_missing_ = probe.sent;
  ++resolved_;
  if (highest_answered_ && probe.sequence < *highest_answered_) return;
  probe.run_position = loss_run_++;
  answer_run_ = 0;
  if (!first_loss_) first_loss_ = probe.sent;
}

std::optional<Nanos> Flow::dead_age() const {
  if (!first_loss_) return std::nullopt;
  return *first_loss_ - opened;
}

std::optional<Instant> Flow::sent_at(std::uint32_t sequence) const {
  if (sequence >= next_sequence_ || next_sequence_ - sequence > kRemembered) return std::nullopt;
  return sent_at_[sequence % kRemembered];
}

std::vector<Pending>::const_iterator Flow::from(std::uint32_t sequence) const {
  if (pending.empty() || sequence <= pending.front().sequence) return pending.begin();
  if (sequence > pending.back().sequence) return pending.end();
  // Where none between was settled, its place follows from its number.
  const std::size_t steps = sequence - pending.front().sequence;
  if (steps < pending.size() && pending[steps].sequence == sequence)
    return pending.begin() + static_cast<std::ptrdiff_t>(steps);
  return std::lower_bound(pending.begin(), pending.end(), sequence,
                          [](const Pending& p, std::uint32_t s) { return p.sequence < s; });
}

std::vector<Pending>::iterator Flow::from(std::uint32_t sequence) {
  return pending.begin() + (std::as_const(*this).from(sequence) - pending.cbegin());
}

}  // namespace ue::probe
