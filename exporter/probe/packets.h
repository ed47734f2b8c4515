#pragma once
#include <optional>
#include <string_view>

#include "base/address.h"
#include "probe/types.h"
#include "stamp/packet.h"
#include "stamp/tlv.h"

namespace ue::probe {

/// What rides on a probe beside the base packet.
struct Extras {
  bool naming =
      false;  ///< flow TLV (authenticated) or naming padding: makes a session known to the reflector
  bool location = false;  ///< asks for the mapped address
  std::uint64_t instance_id = 0;
  Nanos hold{};                ///< the reply is to be sent this much later; needs `naming` and an identity
  bool suppress = false;       ///< counted, not answered; likewise
  std::size_t fill_up_to = 0;  ///< octets of UDP payload, by a padding behind all else
};

/// One probe, ready to send. Unauthenticated without an identity.
Bytes build_probe(const std::optional<Identity>& identity, std::uint64_t flow_id, std::uint16_t ssid,
                  std::uint32_t sequence, WallTime now, const Extras& extras);

/// What a reply says.
struct Reply {
  stamp::ReflectorPacket base;
  bool from_ours = false;                   ///< from a reflector of ours, which alone tells the next two
  std::uint32_t held_ms = 0;                ///< before the reflector answered
  std::uint64_t instance_id = 0;            ///< of the reflector
  std::optional<Endpoint> mapped_endpoint;  ///< ours, as the reflector sees it
};

/// Why a datagram is no reply to us. Every reason is counted, none is answered.
enum class Refusal : std::uint8_t {
  too_short,
  oversized,
  bad_hmac,
  bad_tlv_hmac,
  wrong_ssid,
  wrong_flow,
  invalid
};
std::string_view name(Refusal r);

/// Verifies the HMACs first, then reads. `expected_ssid` and `expected_flow` are those of the flow it arrived
/// on.
std::variant<Reply, Refusal> parse_reply(ByteView datagram, const std::optional<Identity>& identity,
                                         std::uint16_t expected_ssid, std::uint64_t expected_flow);

}  // namespace ue::probe
