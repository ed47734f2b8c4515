#pragma once
#include <optional>
#include <span>

#include "config/key_file.h"
#include "reflector/request.h"

namespace ue::reflector {

/// Who this process is; a restart draws another.
struct Instance {
  std::uint64_t id = 0;          ///< random
  std::uint32_t boot_epoch = 0;  ///< Unix seconds at start
};

/// Everything that goes into one reply beside the request itself.
struct ReplyFacts {
  stamp::Mode mode = stamp::Mode::unauthenticated;
  stamp::ReflectorPacket base;
  stamp::DirectMeasurement counters;       ///< of the session; R_RxC with this request, R_TxC with this reply
  std::optional<WallTime> previous_reply;  ///< when this session's last one was handed to the kernel
  Instance instance;
  std::optional<config::Secret>
      secret;                ///< signs the base packet in authenticated mode, and an HMAC TLV in either
  Nanos held{};              ///< for how long this reply really waited
  bool integrity_ok = true;  ///< false: the request's HMAC TLV was wrong or missing
};

struct Reply {
  ByteView bytes;                  ///< in the caller's buffer, as many as the request has
  std::uint8_t traffic_class = 0;  ///< DSCP to send it with; ECN is 0: it says nothing of the way back
};

/// Writes the reply into `out`, which is at least as long as the request, and may be where the request is. It
/// goes out with the request's DSCP; whoever signs may choose another (Class of Service TLV). TLVs are
/// answered in place (RFC 8972 §4): what is not understood gets U, what is malformed gets M and the rest is
/// copied, after a failed HMAC TLV all get I and nothing is filled in.
Reply write_reply(const Datagram& request, const ReplyFacts& facts, std::span<std::uint8_t> out);

}  // namespace ue::reflector
