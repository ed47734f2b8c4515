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
  Pending p;
  p.sequence = next_sequence_++;
  sent_at_[p.sequence % kRemembered] = now.mono;
  p.kind = kind();
  p.sent = now.mono;
  p.sent_wall = now.wall;
  p.clock_offset = offset(now);
  p.names_session = names_session;
  pending.push_back(p);
  return p.sequence;
}

void Flow::record_transmit_time(std::uint32_t sequence, WallTime when) {
  const auto p = from(sequence);
  if (p != pending.end() && p->sequence == sequence && when >= p->sent_wall) p->sent_wall = when;
}

Flow::Answer Flow::record_answer(std::uint32_t sequence, std::uint32_t reflector_sequence, const Now& now,
                                 WallTime received) {
  if (sequence >= next_sequence_) return {};
  const auto p = from(sequence);
  if (p == pending.end() || p->sequence != sequence) return {Arrival::settled, {}, 0, {}, {}};
  if (p->answered) return {Arrival::duplicate, {}, 0, {}, {}};
  p->answered = true;
  p->reflector_sequence = reflector_sequence;
  if (!p->missing) ++resolved_;
  ++answers_;
  Answer answer{Arrival::answered, {}, 0, p->kind, p->sent};
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
  bool decided = true;
  for (auto p = from(undecided_); p != pending.end(); ++p) {
    if (!p->missing && !p->answered && p->sent + timeout <= now) {
      ++count;
      lose(*p);
    }
    decided = decided && (p->missing || p->answered);
    if (decided) undecided_ = p->sequence + 1;
    if (p->sent + timeout > now) break;
  }
  return count;
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

std::optional<Instant> Flow::next_expiry(Nanos timeout) const {
  const auto p =
      std::find_if(from(undecided_), pending.end(), [](const auto& x) { return !x.missing && !x.answered; });
  if (p == pending.end()) return std::nullopt;
  return p->sent + timeout;
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
  return std::lower_bound(pending.begin(), pending.end(), sequence,
                          [](const Pending& p, std::uint32_t s) { return p.sequence < s; });
}

std::vector<Pending>::iterator Flow::from(std::uint32_t sequence) {
  return pending.begin() + (std::as_const(*this).from(sequence) - pending.cbegin());
}

}  // namespace ue::probe
