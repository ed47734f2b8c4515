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
  stamp::DirectMeasurement counters;  ///< of the session; R_RxC with this request, R_TxC with this reply
  Instance instance;
  std::optional<config::Secret>
      secret;                ///< signs the base packet in authenticated mode, and an HMAC TLV in either
  bool integrity_ok = true;  ///< false: the request's HMAC TLV was wrong or missing
};

/// Writes the reply into `out` (at least as long as the request) and returns its length, always that of the
/// request. TLVs are answered in place (RFC 8972 §4): what is not understood gets U, what is malformed gets M
/// and the rest is copied, after a failed HMAC TLV all get I and nothing is filled in.
std::size_t write_reply(const Datagram& request, const ReplyFacts& facts, std::span<std::uint8_t> out);

}  // namespace ue::reflector
