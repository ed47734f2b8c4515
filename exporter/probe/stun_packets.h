#pragma once
#include "probe/packets.h"

namespace ue::probe {

/// The same flows against a server that speaks only STUN (RFC 8489): each probe is a Binding Request whose
/// transaction id is the flow's id, which nobody can guess, and the probe's number.
/// `answer_to`: the answer is to go to that port of our outer address (RESPONSE-PORT).
Bytes build_stun_probe(std::uint64_t flow_id, std::uint32_t sequence,
                       std::optional<std::uint16_t> answer_to = std::nullopt);

/// What an answer says: which probe came back and our mapped address. It tells nothing of the others, so its
/// counter is that of the probe itself. An error response has come back, too.
std::variant<Reply, Refusal> parse_stun_reply(ByteView datagram, std::uint64_t expected_flow);

}  // namespace ue::probe
