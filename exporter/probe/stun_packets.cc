#include "probe/stun_packets.h"

#include "stun/binding.h"

namespace ue::probe {

namespace {

stun::TransactionId transaction(std::uint64_t flow_id, std::uint32_t sequence) {
  stun::TransactionId id{};
  put_u64(&id[0], flow_id);
  put_u32(&id[8], sequence);
  return id;
}

}  // namespace

Bytes build_stun_probe(std::uint64_t flow_id, std::uint32_t sequence,
                       std::optional<std::uint16_t> answer_to) {
  return stun::encode_binding_request(transaction(flow_id, sequence), {false, false, answer_to});
}

std::variant<Reply, Refusal> parse_stun_reply(ByteView datagram, std::uint64_t expected_flow) {
  if (datagram.size() < stun::kHeaderSize) return Refusal::too_short;
  const auto header = stun::parse_header(datagram);
  if (!header) return Refusal::invalid;
  if (get_u64(&header->transaction_id[0]) != expected_flow) return Refusal::wrong_flow;
  const auto response = stun::parse_binding_response(datagram, header->transaction_id);
  if (!response) return Refusal::invalid;
  Reply reply;
  reply.base.sequence = reply.base.sender_sequence = get_u32(&header->transaction_id[8]);
  reply.mapped_endpoint = response->mapped;
  return reply;
}

}  // namespace ue::probe
