#pragma once
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "uplink/interfaces.h"

namespace ue::uplink {

/// Counts how often an uplink's interface came and went, and how often it got another address. Pure: told of
/// what each look at the kernel's tables found. Flaps between two looks are known from the kernel's own count
/// of carrier changes.
class LinkHistory {
 public:
  /// `link` is null while there is none of the name; `source` is the address that is probed from.
  void update(const Link* link, const std::optional<IpAddress>& source);

  std::uint64_t changes() const { return changes_; }
  std::uint64_t address_changes() const { return address_changes_; }

 private:
  struct Seen {
    int index = 0;  ///< 0: there was none
    bool running = false;
    std::uint32_t carrier_changes = 0;
  };
  std::optional<Seen> seen_;
  std::optional<IpAddress> address_;  ///< the newest; that it was gone for a while is no change
  std::uint64_t changes_ = 0;
  std::uint64_t address_changes_ = 0;
};

}  // namespace ue::uplink
