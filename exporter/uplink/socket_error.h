#pragma once
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"

/// What a socket's error queue holds: ICMP errors, transmit timestamps and errors of this machine itself.
namespace ue::uplink {

/// An ICMP or ICMPv6 error about a packet of this socket.
struct IcmpError {
  Family family = Family::ipv4;
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint32_t mtu = 0;          ///< of "fragmentation needed" and "packet too big"; else 0
  IpAddress offender;             ///< who complains
  bool from_destination = false;  ///< the offender is the destination itself
  Endpoint destination;           ///< where the packet was sent
  ByteView payload;               ///< of the packet, as far as the error quotes it; valid until the next call
};

/// When a packet left: kernel time of the hand-over to the device.
struct TxTimestamp {
  std::uint32_t id = 0;  ///< Sent::id
  WallTime time;
};

/// An error that this machine found, e.g. EMSGSIZE for a don't-fragment packet above the path's MTU.
struct LocalError {
  int code = 0;           ///< errno
  std::uint32_t mtu = 0;  ///< with EMSGSIZE
};

using SocketError = std::variant<IcmpError, TxTimestamp, LocalError>;

/// Short name for counters: network-unreachable, host-unreachable, protocol-unreachable, port-unreachable,
/// fragmentation-needed, source-route-failed, admin-prohibited, beyond-scope, time-exceeded, source-quench,
/// parameter-problem; other for what no RFC names.
std::string_view icmp_name(const IcmpError& error);

/// Reads a message received with MSG_ERRQUEUE; nothing where its control data is of no kind named above.
std::optional<SocketError> parse_error_message(const msghdr& message, ByteView payload);

/// The kernel's software timestamp out of a message's control data.
std::optional<WallTime> parse_timestamp(const msghdr& message);

}  // namespace ue::uplink
