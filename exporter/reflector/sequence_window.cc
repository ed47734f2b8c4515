#include "reflector/sequence_window.h"

namespace ue::reflector {

SequenceWindow::Arrival SequenceWindow::record(std::uint32_t sequence) {
  if (empty() || sequence > highest_) {
    const std::uint32_t step = empty() ? 0 : sequence - highest_;
    seen_ = step < stamp::kWindow ? seen_ << step : std::bitset<stamp::kWindow>{};
    seen_.set(0);
    highest_ = sequence;
    return Arrival::newest;
  }
  const std::uint32_t back = highest_ - sequence;
  if (back >= stamp::kWindow) return Arrival::too_old;
  if (seen_[back]) return Arrival::duplicate;
  seen_.set(back);
  return Arrival::late;
}

}  // namespace ue::reflector
