#include "probe/loss_window.h"

namespace ue::probe {

void LossWindow::record(Instant now, Outcome outcome) {
  const auto number = now.time_since_epoch() / kSlot;
  auto& slot = slots_[static_cast<std::size_t>(number) % kSlots];
  if (slot.number != number) {
    slot = Slot{number, {}};
    sum_before_ = sum(number);
    newest_ = number;
  }
  switch (outcome) {
    case Outcome::answered:
      ++slot.totals.answered;
      break;
    case Outcome::forward_lost:
      ++slot.totals.forward_lost;
      break;
    case Outcome::return_lost:
      ++slot.totals.return_lost;
      break;
    case Outcome::unattributed:
      ++slot.totals.unattributed;
      break;
  }
}

LossWindow::Totals LossWindow::totals(Instant now) const {
  const auto number = now.time_since_epoch() / kSlot;
  if (number != newest_) return sum(number);
  const auto& slot = slots_[static_cast<std::size_t>(number) % kSlots].totals;
  return {sum_before_.answered + slot.answered, sum_before_.forward_lost + slot.forward_lost,
          sum_before_.return_lost + slot.return_lost, sum_before_.unattributed + slot.unattributed};
}

LossWindow::Totals LossWindow::sum(std::int64_t newest) const {
  Totals sum;
  for (const auto& slot : slots_) {
    if (slot.number < 0 || slot.number + static_cast<std::int64_t>(kSlots) <= newest) continue;
    sum.answered += slot.totals.answered;
    sum.forward_lost += slot.totals.forward_lost;
    sum.return_lost += slot.totals.return_lost;
    sum.unattributed += slot.totals.unattributed;
  }
  return sum;
}

}  // namespace ue::probe
