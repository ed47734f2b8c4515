#include "probe/asking.h"

#include <algorithm>

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kAnswerValid = 90s;
constexpr int kFailuresNeeded = 2;
constexpr Nanos kSoon = 11500ms;
// So many, and the 3 s for which the last is tried, make a minute: at its end it is asked whether the server
// is back.
constexpr int kAskedSoon = 5;

Nanos usual_spacing(Asking::Need need) {
  switch (need) {
    case Asking::Need::urgent:
      return 2s;
    case Asking::Need::settle:
      return 45s;  // twice before a probe is given up
    case Asking::Need::watch:
      return 30s;
    case Asking::Need::routine:
    case Asking::Need::none:
      break;
  }
  return 300s;
}

}  // namespace

/// Somebody who never answers is asked ever less often, unless a fault is being looked into. Where it is
/// concluded, the first failures are news, an outage may have come on top, and so is the first answer after
/// them.
Nanos Asking::spacing(Need need) const {
  const Nanos usual = usual_spacing(need);
  const bool news = back_ || (own_failures_ > 0 && own_failures_ <= kAskedSoon);
  if (need == Need::watch && news) return kSoon;
  if (failures_ == 0 || (need != Need::routine && need != Need::settle)) return usual;
  return std::min<Nanos>(usual * (1 << std::min(failures_, 4)), 600s);
}

void Asking::asked(Instant now) {
  under_way_ = true;
  last_ = now;
}

void Asking::done(Instant now, bool answered, bool own) {
  under_way_ = false;
  back_ = own && own_failures_ > 0;
  if (own) {
    own_answer_ = now;
    own_failures_ = 0;
    if (!answered_since_) answered_since_ = now;
  } else {
    own_failure_ = now;
    ++own_failures_;
    answered_since_.reset();
  }
  failures_ = answered ? 0 : failures_ + 1;
  mute_asked_ = last_.value_or(now);
  if (answered) {
    mute_since_.reset();
  } else if (!mute_since_) {
    mute_since_ = now;
    first_mute_asked_ = mute_asked_;
  }
}

void Asking::reset() { *this = Asking(); }

std::optional<bool> Asking::tcp_works(Instant now) const {
  if (own_failures_ >= kFailuresNeeded && own_failure_ && now - *own_failure_ <= kAnswerValid) return false;
  if (own_failures_ == 0 && own_answer_ && now - *own_answer_ <= kAnswerValid) return true;
  return std::nullopt;
}

}  // namespace ue::probe
