#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <span>

#include "base/address.h"
#include "base/time.h"

namespace ue::reflector {

/// Room for every control message of one datagram, in either direction.
inline constexpr std::size_t kControlSize = 192;

/// What the control messages of a received datagram say.
struct Ancillary {
  std::optional<IpAddress> local;  ///< the address it was sent to
  unsigned interface = 0;          ///< that it came in by; IPv6 only
  std::uint8_t ttl = 0;
  std::uint8_t traffic_class = 0;  ///< DSCP and ECN
  std::optional<WallTime> received;
  bool unicast = true;
};
Ancillary read_ancillary(msghdr& message);

/// Writes the control messages with which a reply leaves from `local` with this DSCP and ECN; returns their
/// length. `control` is kControlSize octets, aligned as a cmsghdr.
std::size_t write_ancillary(std::span<std::uint8_t> control, const IpAddress& local, unsigned interface,
                            std::uint8_t traffic_class);

}  // namespace ue::reflector
