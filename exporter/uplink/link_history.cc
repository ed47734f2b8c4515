#include "uplink/link_history.h"

#include <algorithm>

namespace ue::uplink {

void LinkHistory::update(const Link* link, const std::optional<IpAddress>& source) {
  Seen now;
  if (link != nullptr) now = {link->index, link->up && link->carrier, link->carrier_changes};
  if (seen_ && now.index == seen_->index) {
    const std::uint64_t visible = now.running != seen_->running ? 1 : 0;
    // Modulo 2^32, as the kernel counts. An interface that is switched off may keep its carrier.
    changes_ += std::max<std::uint64_t>(visible, now.carrier_changes - seen_->carrier_changes);
  } else if (seen_) {
    // Another interface has the name: the old one went, the new one came.
    changes_ += (seen_->index != 0 ? 1 : 0) + (now.index != 0 ? 1 : 0);
  }
  seen_ = now;
  if (!source) return;
  if (address_ && address_ != source) ++address_changes_;
  address_ = source;
}

}  // namespace ue::uplink
