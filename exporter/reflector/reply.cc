#include "reflector/reply.h"

#include <algorithm>

#include "base/hmac.h"
#include "reflector/held_replies.h"

namespace ue::reflector {

namespace {

using stamp::TlvType;

constexpr std::size_t kAddressSize = 16;
constexpr std::uint8_t kFilled = 0;

// Location sub-TLVs, RFC 8972 §4.2: a request's type, followed by its IPv4 and its IPv6 answer.
constexpr std::uint8_t kSubDestinationIp = 4;
constexpr std::uint8_t kSubSourceIp = 7;

// RFC 8972 §5.3 and §5.4: the registries of synchronisation sources and of timestamping methods.
constexpr std::uint8_t kSyncNtp = 1;
constexpr std::uint8_t kSyncFreeRunning = 5;
constexpr std::uint8_t kTimestampSoftware = 2;

constexpr std::uint8_t kDscpMask = 0xfc;
constexpr std::uint8_t kReversePathRefused = 1;  // RFC 8972 §4.4, field RP

void fill_address(std::span<std::uint8_t> sub_tlv, std::uint8_t request_type, const IpAddress& address) {
  sub_tlv[1] = static_cast<std::uint8_t>(request_type + (address.is_v4() ? 1 : 2));
  const auto value = sub_tlv.subspan(stamp::kTlvHeaderSize);
  std::copy_n(address.bytes().begin(), kAddressSize, value.begin());  // an IPv4 address is followed by zeroes
}

/// Walks the sub-TLVs of a TLV; `fill` answers one in place and returns its flags. Returns the flags of the
/// TLV: what is too short for a sub-TLV makes the TLV malformed, a sub-TLV that is longer than the rest only
/// itself.
template <typename Fill>
std::uint8_t fill_sub_tlvs(std::span<std::uint8_t> rest, const Fill& fill) {
  while (!rest.empty()) {
    if (rest.size() < stamp::kTlvHeaderSize) return stamp::kFlagMalformed;
    const auto size = stamp::kTlvHeaderSize + get_u16(&rest[2]);
    if (size > rest.size()) {
      rest[0] = stamp::kFlagMalformed;
      return kFilled;
    }
    rest[0] = fill(rest.first(size));
    rest = rest.subspan(size);
  }
  return kFilled;
}

std::uint8_t fill_location(std::span<std::uint8_t> value, const Datagram& request) {
  if (value.size() < 4) return stamp::kFlagMalformed;
  put_u16(&value[0], request.local.port);
  put_u16(&value[2], request.source.port);
  return fill_sub_tlvs(value.subspan(4), [&](std::span<std::uint8_t> sub_tlv) -> std::uint8_t {
    const auto type = sub_tlv[1];
    // Link-layer addresses are not for strangers.
    if (type != kSubDestinationIp && type != kSubSourceIp) return stamp::kFlagUnrecognised;
    if (sub_tlv.size() != stamp::kTlvHeaderSize + kAddressSize) return stamp::kFlagMalformed;
    fill_address(sub_tlv, type, type == kSubSourceIp ? request.source.address : request.local.address);
    return kFilled;
  });
}

std::uint8_t fill_direct_measurement(std::span<std::uint8_t> value,
                                     const stamp::DirectMeasurement& counters) {
  if (!stamp::parse_direct_measurement(value)) return stamp::kFlagMalformed;
  put_u32(&value[4], counters.reflector_rx);
  put_u32(&value[8], counters.reflector_tx);
  return kFilled;
}

/// RFC 8972 §4.3: both of our timestamps are the kernel's clock, read in software.
std::uint8_t fill_timestamp_information(std::span<std::uint8_t> value, const ReplyFacts& facts) {
  if (value.size() < 4) return stamp::kFlagMalformed;
  const auto source = facts.base.error_estimate.synchronised ? kSyncNtp : kSyncFreeRunning;
  value[0] = value[2] = source;
  value[1] = value[3] = kTimestampSoftware;
  // None is defined so far.
  return fill_sub_tlvs(value.subspan(4), [](auto) { return stamp::kFlagUnrecognised; });
}

/// RFC 8972 §4.4 with its erratum 8199 (DSCP2 and ECN are those of the request as it arrived). A DSCP that is
/// not the request's own must be asked for with a key: strangers do not get our network to prefer their
/// packets.
std::uint8_t fill_class_of_service(std::span<std::uint8_t> value, const Datagram& request,
                                   const ReplyFacts& facts, std::uint8_t& traffic_class) {
  if (value.size() != 4) return stamp::kFlagMalformed;
  const auto wanted = static_cast<std::uint8_t>(value[0] & kDscpMask);
  const bool allowed = facts.mode == stamp::Mode::authenticated || wanted == traffic_class;
  if (allowed) traffic_class = wanted;
  put_u16(&value[0], static_cast<std::uint16_t>(wanted << 8 | request.traffic_class << 2 |
                                                (allowed ? 0 : kReversePathRefused)));
  put_u16(&value[2], 0);  // reserved: ignored where it comes from, zero where it is sent
  return kFilled;
}

/// RFC 8972 §4.7 with its erratum 8339 (the TLV's own Length is what must fit): Sequence Number and time of
/// the session's last reply before this one, zero where this is the first.
std::uint8_t fill_follow_up(std::span<std::uint8_t> value, const ReplyFacts& facts) {
  if (value.size() != 16) return stamp::kFlagMalformed;
  std::fill(value.begin(), value.end(), 0);
  if (!facts.previous_reply) return kFilled;
  put_u32(&value[0], facts.base.sequence - 1);
  const auto sent = stamp::NtpTime::from(*facts.previous_reply);
  put_u32(&value[4], sent.seconds);
  put_u32(&value[8], sent.fraction);
  value[12] = kTimestampSoftware;
  return kFilled;
}

std::uint8_t fill_flow(std::span<std::uint8_t> value, const ReplyFacts& facts) {
  // Another version has another meaning; only its sender's own replies can tell what.
  if (value.size() == stamp::FlowTlv::kSize && value[0] != stamp::FlowTlv::kVersion)
    return stamp::kFlagUnrecognised;
  auto flow = stamp::FlowTlv::parse(value);
  if (!flow || flow->hold_ms > HeldReplies::kMaxHoldMs) return stamp::kFlagMalformed;
  if (facts.mode != stamp::Mode::authenticated) return stamp::kFlagUnrecognised;
  flow->hold_ms = static_cast<std::uint32_t>(facts.held / std::chrono::milliseconds(1));
  flow->boot_epoch = facts.instance.boot_epoch;
  flow->instance_id = facts.instance.id;
  const auto wire = flow->encode();
  std::copy(wire.begin(), wire.end(), value.begin());
  return kFilled;
}

/// RFC 8972 §4.8: over the reply's own Sequence Number and TLVs. `reply` ends where this TLV's value begins.
std::uint8_t fill_hmac(ByteView reply, std::span<std::uint8_t> value, const ReplyFacts& facts) {
  if (value.size() != stamp::kHmacSize) return stamp::kFlagMalformed;
  if (!facts.secret) return stamp::kFlagUnrecognised;
  const auto base = stamp::base_size(facts.mode);
  const auto covered = reply.subspan(base, reply.size() - base - stamp::kTlvHeaderSize);
  const auto digest = hmac_sha256(*facts.secret, {reply.first(4), covered});
  std::copy_n(digest.begin(), stamp::kHmacSize, value.begin());
  return kFilled;
}

bool understood(std::uint8_t type) {
  const auto t = static_cast<TlvType>(type);
  return t == TlvType::extra_padding || t == TlvType::location || t == TlvType::timestamp_information ||
         t == TlvType::class_of_service || t == TlvType::direct_measurement ||
         t == TlvType::follow_up_telemetry || t == TlvType::hmac || t == TlvType::flow_control;
}

/// Fills one TLV in place and returns its flags. `value_at` is the offset of its value in `reply`.
std::uint8_t fill(std::uint8_t type, std::span<std::uint8_t> reply, std::size_t value_at, std::size_t length,
                  const Datagram& request, const ReplyFacts& facts, std::uint8_t& traffic_class) {
  const auto value = reply.subspan(value_at, length);
  switch (static_cast<TlvType>(type)) {
    case TlvType::extra_padding:
      return kFilled;
    case TlvType::location:
      return fill_location(value, request);
    case TlvType::timestamp_information:
      return fill_timestamp_information(value, facts);
    case TlvType::class_of_service:
      return fill_class_of_service(value, request, facts, traffic_class);
    case TlvType::follow_up_telemetry:
      return fill_follow_up(value, facts);
    case TlvType::direct_measurement:
      return fill_direct_measurement(value, facts.counters);
    case TlvType::hmac:
      return fill_hmac(reply.first(value_at), value, facts);
    case TlvType::flow_control:
      return fill_flow(value, facts);
    default:
      return stamp::kFlagUnrecognised;
  }
}

}  // namespace

Reply write_reply(const Datagram& request, const ReplyFacts& facts, std::span<std::uint8_t> out) {
  const auto reply = out.first(request.bytes.size());
  if (reply.data() != request.bytes.data())
    std::copy(request.bytes.begin(), request.bytes.end(), reply.begin());
  stamp::encode(facts.base, facts.mode, reply);
  if (facts.mode == stamp::Mode::authenticated) stamp::sign_base(reply, facts.secret.value());

  auto traffic_class = static_cast<std::uint8_t>(request.traffic_class & kDscpMask);
  stamp::TlvReader reader(request.bytes, facts.mode);
  while (const auto tlv = reader.next()) {
    auto& flags = reply[tlv->offset];
    if (!facts.integrity_ok) {
      flags = stamp::kFlagIntegrity | (understood(tlv->type) ? kFilled : stamp::kFlagUnrecognised);
      continue;
    }
    flags = fill(tlv->type, reply, tlv->offset + stamp::kTlvHeaderSize, tlv->value.size(), request, facts,
                 traffic_class);
    if ((flags & stamp::kFlagMalformed) != 0) return {reply, traffic_class};
  }
  if (reader.malformed()) {
    reply[reader.malformed_offset()] =
        stamp::kFlagMalformed | (facts.integrity_ok ? 0 : stamp::kFlagIntegrity);
  }
  return {reply, traffic_class};
}

}  // namespace ue::reflector
