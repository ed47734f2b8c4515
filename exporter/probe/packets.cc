#include "probe/packets.h"

#include <algorithm>

namespace ue::probe {

namespace {

constexpr std::size_t kLargestReply = 1500;

/// S unset: a home gateway cannot vouch for its clock. 2^-10 s: one millisecond, the coarsest kernel
/// timestamp.
constexpr stamp::ErrorEstimate kErrorEstimate{
    .synchronised = false, .ptp = false, .scale = 22, .multiplier = 1};

stamp::Mode mode_of(const std::optional<Identity>& identity) {
  return identity ? stamp::Mode::authenticated : stamp::Mode::unauthenticated;
}

/// Nothing where `reply` is one.
std::optional<Refusal> read_reply(ByteView datagram, const std::optional<Identity>& identity,
                                  std::uint16_t expected_ssid, std::uint64_t expected_flow, Reply& reply) {
  const auto mode = mode_of(identity);
  const auto base = stamp::base_size(mode);
  if (datagram.size() < base) return Refusal::too_short;
  if (datagram.size() > kLargestReply) return Refusal::oversized;
  if (identity && !stamp::verify_base(datagram, identity->secret)) return Refusal::bad_hmac;
  if (!stamp::read_reflector(datagram, mode, reply.base)) return Refusal::invalid;
  // A zero SSID comes from a reflector without RFC 8972; the port has told the session apart already.
  if (reply.base.ssid != expected_ssid && reply.base.ssid != 0) return Refusal::wrong_ssid;
  if (datagram.size() < base + stamp::kTlvHeaderSize) return std::nullopt;
  if (identity && !stamp::verify_hmac_tlv(datagram, mode, identity->secret)) return Refusal::bad_tlv_hmac;
  stamp::TlvReader reader(datagram, mode);
  while (const auto tlv = reader.next()) {
    if ((tlv->flags & stamp::kFlagIntegrity) != 0 || (tlv->flags & stamp::kFlagMalformed) != 0) break;
    if ((tlv->flags & stamp::kFlagUnrecognised) != 0) continue;
    if (tlv->type == static_cast<std::uint8_t>(stamp::TlvType::location)) {
      reply.mapped_endpoint = stamp::parse_location_source(tlv->value);
    } else if (tlv->type == static_cast<std::uint8_t>(stamp::TlvType::flow_control) && identity) {
      const auto flow = stamp::FlowTlv::parse(tlv->value);
      if (!flow) continue;
      if (flow->flow_id != expected_flow) return Refusal::wrong_flow;
      reply.from_ours = true;
      reply.held_ms = flow->hold_ms;
      reply.instance_id = flow->instance_id;
    }
  }
  return std::nullopt;
}

}  // namespace

Bytes build_probe(const std::optional<Identity>& identity, std::uint64_t flow_id, std::uint16_t ssid,
                  std::uint32_t sequence, WallTime now, const Extras& extras) {
  const auto mode = mode_of(identity);
  Bytes packet;
  packet.reserve(std::max<std::size_t>(256, extras.fill_up_to));
  packet.resize(stamp::base_size(mode));
  stamp::encode(stamp::SenderPacket{sequence, stamp::NtpTime::from(now), kErrorEstimate, ssid}, mode, packet);
  if (identity) stamp::sign_base(packet, identity->secret);
  if (extras.location) stamp::append_location_request(packet);
  if (extras.naming && identity) {
    stamp::FlowTlv tlv;
    tlv.key_id = identity->key_id;
    tlv.gateway_id = identity->gateway_id;
    tlv.flow_id = flow_id;
    tlv.instance_id = extras.instance_id;
    tlv.hold_ms = static_cast<std::uint32_t>(extras.hold / std::chrono::milliseconds(1));
    tlv.suppress = extras.suppress;
    stamp::append_tlv(packet, stamp::TlvType::flow_control, tlv.encode());
  }
  if (identity && packet.size() > stamp::base_size(mode))
    stamp::append_hmac_tlv(packet, mode, identity->secret);
  if (extras.naming && !identity) stamp::append_naming_padding(packet, flow_id);
  // RFC 8972 §4.8: Extra Padding is the one TLV that may follow the HMAC.
  if (packet.size() + stamp::kTlvHeaderSize < extras.fill_up_to)
    stamp::append_padding(packet, extras.fill_up_to - packet.size() - stamp::kTlvHeaderSize);
  return packet;
}

std::string_view name(Refusal r) {
  switch (r) {
    case Refusal::too_short:
      return "too_short";
    case Refusal::oversized:
      return "oversized";
    case Refusal::bad_hmac:
      return "bad_hmac";
    case Refusal::bad_tlv_hmac:
      return "bad_tlv_hmac";
    case Refusal::wrong_ssid:
      return "wrong_ssid";
    case Refusal::wrong_flow:
      return "wrong_flow";
    case Refusal::invalid:
      return "invalid";
  }
  return "invalid";
}

std::variant<Reply, Refusal> parse_reply(ByteView datagram, const std::optional<Identity>& identity,
                                         std::uint16_t expected_ssid, std::uint64_t expected_flow) {
  std::variant<Reply, Refusal> parsed;
  const auto refusal = read_reply(datagram, identity, expected_ssid, expected_flow, std::get<Reply>(parsed));
  if (refusal) parsed = *refusal;
  return parsed;
}

}  // namespace ue::probe
