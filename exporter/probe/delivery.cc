#include "probe/delivery.h"

#include <algorithm>

namespace ue::probe {

namespace {

constexpr Nanos kStragglers = std::chrono::seconds(1);  // a packet may take so long to get there
constexpr Nanos kDenialValid = std::chrono::seconds(90);
constexpr std::uint32_t kNewest = 6;  // of these half must have arrived

}  // namespace

void Delivery::begin(Instant now, Instant asked, bool credible, Instant instance_since,
                     std::optional<Instant> silent_since, std::optional<Instant> answered) {
  auto since = asked_ && asked - *asked_ <= kDenialValid ? denying_since() : std::nullopt;
  if (since && answered && *answered > *since) since.reset();
  *this = Delivery();
  denying_since_ = since.value_or(now);
  newest_answered_ = answered;
  asked_ = asked;
  credible_ = credible;
  instance_since_ = instance_since;
  silent_since_ = silent_since;
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
    if (!received && (sent + kStragglers > *asked_ || !credible_ || sent < instance_since_)) continue;
    ++considered;
    if (received) {
      ++delivered_;
      arrivals_.push_back(sent);
      run_of_denials = false;
      if (considered <= kNewest) ++newest_arrived;
      continue;
    }
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

std::uint32_t Delivery::arrivals_since(std::optional<Instant> when) const {
  return static_cast<std::uint32_t>(
      std::count_if(arrivals_.begin(), arrivals_.end(), [&](Instant sent) { return !when || sent > *when; }));
}

bool Delivery::proves(std::optional<Instant> silent_since, std::uint32_t losses_needed) const {
  if (!silent_since || delivered_ < losses_needed) return false;
  if (recent() && silent_since == silent_since_) return true;
  return arrivals_since(std::max({silent_since, newest_denied_, newest_answered_})) >= losses_needed;
}

std::optional<bool> Delivery::arrived(Instant now, std::optional<Instant> silent_since,
                                      std::uint32_t losses_needed) const {
  if (!asked_ || now - *asked_ > kDenialValid) return std::nullopt;
  if (proves(silent_since, losses_needed)) return true;
  return denying_since() && denied_since_ >= losses_needed ? std::optional(false) : std::nullopt;
}

}  // namespace ue::probe
