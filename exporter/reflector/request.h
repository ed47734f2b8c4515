#pragma once
#include <optional>

#include "base/address.h"
#include "base/bytes.h"
#include "base/time.h"
#include "stamp/packet.h"
#include "stamp/tlv.h"

namespace ue::reflector {

/// The largest datagram that is looked at: an Ethernet MTU.
inline constexpr std::size_t kMaxDatagram = 1500;

/// A datagram as the socket gave it.
struct Datagram {
  ByteView bytes;
  Endpoint source;
  Endpoint local;  ///< the address and port it was sent to
  std::uint8_t ttl = 0;
  std::uint8_t traffic_class = 0;  ///< DSCP (6 bits) and ECN (2)
  WallTime received{};             ///< the kernel's receive timestamp
  std::uint32_t socket = 0;        ///< the shell's own: which of its sockets it came by
  std::uint32_t interface = 0;     ///< likewise, IPv6 only
  std::uint32_t scope = 0;         ///< of a link-local source
};

/// Tells the modes apart, which share a port: an authenticated packet has zeroes (MBZ) where an
/// unauthenticated one has its Timestamp and Error Estimate, whose multiplier is never 0. The datagram is at
/// least kUnauthenticatedSize long.
stamp::Mode guess_mode(ByteView datagram);

/// True where the octets that a Session-Sender leaves zero (RFC 8762 §4.2) are: those in which a reply
/// carries its Receive Timestamp. Anybody's reply, sent back to a reflector, is recognised by that and not
/// answered again; in authenticated mode it even has a valid HMAC, because both directions share the key.
bool is_request(ByteView datagram, stamp::Mode mode);

/// What the TLVs ask for. Nothing of it is to be believed before the HMAC TLV is verified.
struct Wishes {
  bool needs_hmac = false;  ///< a TLV other than Extra Padding is there (or something that is no TLV)
  bool has_hmac = false;
  std::optional<stamp::FlowTlv> flow;  ///< the first one
  std::optional<std::uint64_t> name;   ///< of the first naming padding
};
Wishes read_wishes(ByteView datagram, stamp::Mode mode);

}  // namespace ue::reflector
