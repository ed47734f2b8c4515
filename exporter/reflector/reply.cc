#include "reflector/reply.h"

#include <algorithm>

#include "base/hmac.h"

namespace ue::reflector {

namespace {

using stamp::TlvType;

constexpr std::uint32_t kMaxHoldMs = 600'000;
constexpr std::size_t kAddressSize = 16;
constexpr std::uint8_t kFilled = 0;

// Location sub-TLVs, RFC 8972 §4.2: a request's type, followed by its IPv4 and its IPv6 answer.
constexpr std::uint8_t kSubDestinationIp = 4;
constexpr std::uint8_t kSubSourceIp = 7;

void fill_address(std::span<std::uint8_t> sub_tlv, std::uint8_t request_type, const IpAddress& address) {
  sub_tlv[0] = kFilled;
  sub_tlv[1] = static_cast<std::uint8_t>(request_type + (address.is_v4() ? 1 : 2));
  const auto value = sub_tlv.subspan(stamp::kTlvHeaderSize);
  std::copy_n(address.bytes().begin(), kAddressSize, value.begin());  // an IPv4 address is followed by zeroes
}

/// Fills one Location TLV's value and returns the flags of the TLV.
std::uint8_t fill_location(std::span<std::uint8_t> value, const Datagram& request) {
  if (value.size() < 4) return stamp::kFlagMalformed;
  put_u16(&value[0], request.local.port);
  put_u16(&value[2], request.source.port);
  for (auto rest = value.subspan(4); !rest.empty();) {
    if (rest.size() < stamp::kTlvHeaderSize) return stamp::kFlagMalformed;
    const auto size = stamp::kTlvHeaderSize + get_u16(&rest[2]);
    if (size > rest.size()) {
      rest[0] = stamp::kFlagMalformed;
      return kFilled;
    }
    const auto sub_tlv = rest.first(size);
    rest = rest.subspan(size);
    const auto type = sub_tlv[1];
    if (type != kSubDestinationIp && type != kSubSourceIp) {
      sub_tlv[0] = stamp::kFlagUnrecognised;  // link-layer addresses are not for strangers
    } else if (size != stamp::kTlvHeaderSize + kAddressSize) {
      sub_tlv[0] = stamp::kFlagMalformed;
    } else {
      fill_address(sub_tlv, type, type == kSubSourceIp ? request.source.address : request.local.address);
    }
  }
  return kFilled;
}

std::uint8_t fill_direct_measurement(std::span<std::uint8_t> value,
                                     const stamp::DirectMeasurement& counters) {
  if (!stamp::parse_direct_measurement(value)) return stamp::kFlagMalformed;
  put_u32(&value[4], counters.reflector_rx);
  put_u32(&value[8], counters.reflector_tx);
  return kFilled;
}

std::uint8_t fill_flow(std::span<std::uint8_t> value, const ReplyFacts& facts) {
  // Another version has another meaning; only its sender's own replies can tell what.
  if (value.size() == stamp::FlowTlv::kSize && value[0] != stamp::FlowTlv::kVersion)
    return stamp::kFlagUnrecognised;
  auto flow = stamp::FlowTlv::parse(value);
  if (!flow || flow->hold_ms > kMaxHoldMs) return stamp::kFlagMalformed;
  if (facts.mode != stamp::Mode::authenticated) return stamp::kFlagUnrecognised;
  flow->hold_ms = 0;
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
  return t == TlvType::extra_padding || t == TlvType::location || t == TlvType::direct_measurement ||
         t == TlvType::hmac || t == TlvType::flow_control;
}

/// Fills one TLV in place and returns its flags. `value_at` is the offset of its value in `reply`.
std::uint8_t fill(std::uint8_t type, std::span<std::uint8_t> reply, std::size_t value_at, std::size_t length,
                  const Datagram& request, const ReplyFacts& facts) {
  const auto value = reply.subspan(value_at, length);
  switch (static_cast<TlvType>(type)) {
    case TlvType::extra_padding:
      return kFilled;
    case TlvType::location:
      return fill_location(value, request);
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

std::size_t write_reply(const Datagram& request, const ReplyFacts& facts, std::span<std::uint8_t> out) {
  const auto reply = out.first(request.bytes.size());
  std::copy(request.bytes.begin(), request.bytes.end(), reply.begin());
  stamp::encode(facts.base, facts.mode, reply);
  if (facts.mode == stamp::Mode::authenticated) stamp::sign_base(reply, facts.secret.value());

  stamp::TlvReader reader(request.bytes, facts.mode);
  while (const auto tlv = reader.next()) {
    auto& flags = reply[tlv->offset];
    if (!facts.integrity_ok) {
      flags = stamp::kFlagIntegrity | (understood(tlv->type) ? kFilled : stamp::kFlagUnrecognised);
      continue;
    }
    flags = fill(tlv->type, reply, tlv->offset + stamp::kTlvHeaderSize, tlv->value.size(), request, facts);
    if ((flags & stamp::kFlagMalformed) != 0) return reply.size();
  }
  if (reader.malformed()) {
    reply[reader.malformed_offset()] =
        stamp::kFlagMalformed | (facts.integrity_ok ? 0 : stamp::kFlagIntegrity);
  }
  return reply.size();
}

}  // namespace ue::reflector
