#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/address.h"
#include "base/result.h"

namespace ue::uplink {

/// What ties a socket to an uplink.
struct Binding {
  std::string interface;
  Family family = Family::ipv4;
  std::uint32_t fwmark = 0;         ///< 0: none
  std::optional<IpAddress> source;  ///< absent: the kernel chooses by its routes
};

/// Binds a fresh socket of any type, before it connects: SO_BINDTODEVICE, SO_MARK, source address with a port
/// of the kernel's choice. Errors name the interface and the remedy.
Result<std::monostate> bind_to_uplink(int fd, const Binding& binding);

}  // namespace ue::uplink
