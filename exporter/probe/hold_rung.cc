#include "probe/hold_rung.h"

#include <algorithm>
#include <bit>

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kStreamStep = 1s;
constexpr int kStreamExchanges = 4;  // three seconds of them: Linux calls a flow a stream after two
constexpr int kControlAnswers =
    5;  // of seven: a path that loses more than that cannot tell silence from loss
constexpr Nanos kControlStep = 500ms;
constexpr int kControlExchanges = 7;
constexpr Nanos kActiveStep = 500ms;
constexpr int kMostActive = 38;  // and two to end with: 40 packets
constexpr Nanos kTrainStep = 1s;
constexpr Nanos kApart = 200ms;
constexpr Nanos kBeyond = 300ms;  // a NAT's timer of just the hold is over by then, however late we sent

}  // namespace

HoldRung::HoldRung(Pattern pattern, Nanos hold, FlowHandle flow, std::uint64_t flow_id, std::uint16_t ssid,
                   Instant begin)
    : pattern_(pattern), hold_(hold), flow_(flow), flow_id_(flow_id), ssid_(ssid), begin_(begin) {
  steps_.reserve(kUsualSteps);
  if (control()) {
    for (int i = 0; i < kControlExchanges; ++i) steps_.push_back({i * kControlStep, {}, false});
    return;
  }
  switch (pattern) {
    case Pattern::solitary:
      ask_twice({}, hold);
      break;
    case Pattern::exchange:
      steps_ = {{{}, {}, false}};
      ask_twice(1s, hold);
      break;
    case Pattern::stream:
      for (int i = 0; i < kStreamExchanges; ++i) steps_.push_back({i * kStreamStep, {}, false});
      ask_twice(kStreamExchanges * kStreamStep, hold);
      break;
    case Pattern::inbound:  // all of it leaves at once, so nothing but replies refreshes the mapping
      for (Nanos h = kTrainStep; h < hold; h += kTrainStep) steps_.push_back({{}, h, false});
      steps_.push_back({{}, hold, false});
      steps_.push_back({{}, hold + kApart, false});
      break;
    case Pattern::active:
      for (Nanos at{}; at < hold; at += std::max<Nanos>(kActiveStep, hold / kMostActive))
        steps_.push_back({at, {}, true});
      steps_.push_back({hold, {}, false});
      steps_.push_back({hold + kApart, {}, false});
      break;
  }
}

/// One lost packet must not look like a forgotten mapping. Both replies find it after more than `hold` of
/// silence.
void HoldRung::ask_twice(Nanos at, Nanos hold) {
  const auto held = std::min(hold + kApart + kBeyond, longest(pattern_));
  steps_.push_back({at, held, false});
  steps_.push_back({at + kApart, held, false});
}

Nanos HoldRung::longest(Pattern pattern) {
  switch (pattern) {
    case Pattern::inbound:
      return 30s;  // 30 replies
    case Pattern::active:
      return 20s;
    default:
      return 600s;  // what a reflector holds
  }
}

std::optional<HoldRung::Packet> HoldRung::next_due(Instant now) {
  if (next_ == steps_.size() || begin_ + steps_[next_].at > now) return std::nullopt;
  const auto& step = steps_[next_];
  const bool plain = answered_ && step.hold == Nanos::zero() && !step.suppress;
  return Packet{static_cast<std::uint32_t>(next_++), step.hold, step.suppress, !plain};
}

void HoldRung::expire(Instant now, Nanos grace) {
  if (outcome_ != Outcome::running || now < deadline(grace)) return;
  const bool proven = exchanged_ || pattern_ == Pattern::solitary || pattern_ == Pattern::inbound ||
                      pattern_ == Pattern::active || control();
  outcome_ = proven ? Outcome::silent : Outcome::no_say;
}

void HoldRung::on_reply(std::uint32_t sequence, Nanos held) {
  if (outcome_ != Outcome::running || sequence >= next_) return;
  answered_ = true;
  const auto& step = steps_[sequence];
  if (control()) {
    answers_ |= 1U << sequence;
    if (std::popcount(answers_) >= kControlAnswers) outcome_ = Outcome::came_back;
    return;
  }
  // A reflector that would not hold answers at once and says so.
  if (held + 100ms < step.hold) {
    outcome_ = Outcome::no_say;
    return;
  }
  exchanged_ = true;
  if (sequence + 2 >= steps_.size()) outcome_ = Outcome::came_back;
}

}  // namespace ue::probe
