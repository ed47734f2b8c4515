#include "probe/delivery.h"

#include <algorithm>

#include "probe/loss_model.h"

namespace ue::probe {

namespace {

constexpr Nanos kStragglers = std::chrono::seconds(1);  // a packet may take so long to get there
constexpr Nanos kDenialValid = std::chrono::seconds(90);
constexpr std::uint32_t kNewest = 6;
// Of these one in so many must have arrived. On a line that loses a third half of them do, but not 3,000
// times a day.
constexpr std::uint32_t kHalf = 2;
constexpr std::uint32_t kFifth = 5;

}  // namespace

void Delivery::begin(const Answer& answer) {
  Delivery next;
  if (answer_ && answer.asked - answer_->asked <= kDenialValid) {  // one series
    if (answer.own && answer_->own) next.denying_since_ = denying_since();
    next.deaf_since_ = deaf_since();
    for (auto* since : {&next.denying_since_, &next.deaf_since_}) {
      if (*since && answer.newest_answered && *answer.newest_answered > **since) since->reset();
    }
    if (const auto there = newest_there()) denials_.erase(denials_.begin(), denials_.upper_bound(*there));
    while (denials_.size() > LossModel::kMostNeeded) denials_.erase(denials_.begin());
    next.denials_ = std::move(denials_);
  }
  if (!next.denying_since_) next.denying_since_ = answer.received;
  next.answer_ = answer;
  *this = std::move(next);
}

void Delivery::add(const Flow& flow, const stamp::FlowReport& report, bool stands_for_tunnel) {
  const std::uint32_t end = flow.sent();
  const std::uint32_t unanswered_from = flow.highest_answered() ? *flow.highest_answered() + 1 : 0;
  const std::uint32_t begin =
      std::max(unanswered_from, end > Flow::kRemembered ? end - Flow::kRemembered : 0);
  const auto delivered_before = delivered_;
  std::uint32_t considered = 0;
  std::uint32_t newest_arrived = 0;
  bool run_of_denials = true;
  for (std::uint32_t sequence = end; sequence-- > begin;) {
    const bool received = report.known && report.received > 0 && sequence <= report.highest_sequence &&
                          report.highest_sequence - sequence < stamp::kWindow &&
                          report.window.test(report.highest_sequence - sequence);
    const auto sent = *flow.sent_at(sequence);
    if (!received &&
        (sent + kStragglers > answer_->asked || !answer_->credible || sent < answer_->instance_since))
      continue;
    ++considered;
    if (received) {
      ++delivered_;
      arrivals_.push_back(sent);
      run_of_denials = false;
      if (considered <= kNewest) ++newest_arrived;
      continue;
    }
    denials_.insert(sent);
    newest_denied_ = std::max(newest_denied_.value_or(sent), sent);
    if (run_of_denials) {
      ++denied_in_a_row_;
      if (sent >= *denying_since_) ++denied_since_;
    }
  }
  if (!stands_for_tunnel) return;
  tunnel_delivered_ += delivered_ - delivered_before;
  newest_considered_ += std::min(considered, kNewest);
  newest_arrived_ += newest_arrived;
}

bool Delivery::recent() const {
  const auto part = answer_ && answer_->proven_before ? kFifth : kHalf;
  return tunnel_delivered_ >= kArrivalsNeeded && newest_arrived_ * part >= newest_considered_;
}

std::uint32_t Delivery::arrivals_since(std::optional<Instant> when) const {
  return static_cast<std::uint32_t>(
      std::count_if(arrivals_.begin(), arrivals_.end(), [&](Instant sent) { return !when || sent > *when; }));
}

std::uint32_t Delivery::denials_since(std::optional<Instant> when) const {
  return static_cast<std::uint32_t>(
      std::distance(when ? denials_.upper_bound(*when) : denials_.begin(), denials_.end()));
}

/// The newest probe that is known to have arrived.
std::optional<Instant> Delivery::newest_there() const {
  auto newest = answer_->newest_answered;
  for (const auto& sent : arrivals_) newest = std::max(newest.value_or(sent), sent);
  return newest;
}

/// Since when nothing has arrived, as this answer and those before it have it.
std::optional<Instant> Delivery::deaf_since() const {
  if (deaf_since_ && arrivals_since(deaf_since_) == 0) return deaf_since_;
  return denials_since(newest_there()) >= kDenialsNeeded ? std::optional(answer_->asked) : std::nullopt;
}

bool Delivery::nothing_arrives(Instant now) const {
  return answer_ && now - answer_->asked <= kDenialValid && deaf_since_ && arrivals_since(deaf_since_) == 0 &&
         denials_since(deaf_since_) >= kDenialsNeeded &&
         denials_since(newest_there()) >= answer_->losses_needed;
}

bool Delivery::proves(std::optional<Instant> silent_since, std::uint32_t losses_needed) const {
  if (!silent_since || !answer_) return false;
  const auto enough = answer_->proven_before ? dying(losses_needed) : losses_needed;
  if (delivered_ >= enough && recent() && silent_since == answer_->silent_since) return true;
  return arrivals_since(std::max({silent_since, newest_denied_, answer_->newest_answered})) >= losses_needed;
}

std::optional<bool> Delivery::arrived(Instant now, std::optional<Instant> silent_since,
                                      std::uint32_t losses_needed) const {
  if (!answer_ || now - answer_->asked > kDenialValid) return std::nullopt;
  if (proves(silent_since, losses_needed)) return true;
  return denying_since() && denied_since_ >= losses_needed ? std::optional(false) : std::nullopt;
}

}  // namespace ue::probe
