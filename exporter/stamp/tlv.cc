#include "stamp/tlv.h"

#include <algorithm>

#include "base/hmac.h"

namespace ue::stamp {

namespace {

constexpr std::size_t kLocationPorts = 4;
constexpr std::size_t kSubTlvAddress = 16;
constexpr std::uint8_t kSubSourceIp = 7;    // request, RFC 8972 §4.2.1
constexpr std::uint8_t kSubSourceIpv4 = 8;  // answers
constexpr std::uint8_t kSubSourceIpv6 = 9;
constexpr std::size_t kDirectMeasurementSize = 12;
constexpr std::size_t kSequenceSize = 4;

/// A TLV of so many zeros; returns where they begin.
std::uint8_t* append_zeros(Bytes& packet, std::uint8_t type, std::size_t length) {
  const auto at = packet.size();
  packet.resize(at + kTlvHeaderSize + length);
  packet[at] = kFlagUnrecognised;
  packet[at + 1] = type;
  put_u16(&packet[at + 2], static_cast<std::uint16_t>(length));
  return &packet[at] + kTlvHeaderSize;
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): spreads a flow id over the padding's second half.
std::uint64_t mix(std::uint64_t v) {
  v += 0x9e3779b97f4a7c15;
  v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
  v = (v ^ v >> 27) * 0x94d049bb133111eb;
  return v ^ v >> 31;
}

}  // namespace

TlvReader::TlvReader(ByteView datagram, Mode mode) : datagram_(datagram), offset_(base_size(mode)) {}

std::optional<Tlv> TlvReader::next() {
  if (malformed_ || offset_ >= datagram_.size()) return std::nullopt;
  const auto rest = datagram_.subspan(offset_);
  if (rest.size() < kTlvHeaderSize || rest.size() - kTlvHeaderSize < get_u16(&rest[2])) {
    malformed_ = true;
    return std::nullopt;
  }
  const Tlv tlv{offset_, rest[0], rest[1], rest.subspan(kTlvHeaderSize, get_u16(&rest[2]))};
  offset_ += kTlvHeaderSize + tlv.value.size();
  return tlv;
}

std::optional<Tlv> find_tlv(ByteView datagram, Mode mode, TlvType type) {
  TlvReader reader(datagram, mode);
  while (const auto tlv = reader.next()) {
    if (tlv->type == static_cast<std::uint8_t>(type)) return tlv;
  }
  return std::nullopt;
}

void append_tlv(Bytes& packet, TlvType type, ByteView value) {
  std::ranges::copy(value, append_zeros(packet, static_cast<std::uint8_t>(type), value.size()));
}

void append_padding(Bytes& packet, std::size_t octets) {
  append_zeros(packet, static_cast<std::uint8_t>(TlvType::extra_padding), octets);
}

void append_hmac_tlv(Bytes& packet, Mode mode, ByteView key) {
  const ByteView so_far(packet);
  const auto digest = hmac_sha256(key, {so_far.first(kSequenceSize), so_far.subspan(base_size(mode))});
  append_tlv(packet, TlvType::hmac, ByteView(digest).first(kHmacSize));
}

bool verify_hmac_tlv(ByteView datagram, Mode mode, ByteView key) {
  std::optional<Tlv> hmac;
  TlvReader reader(datagram, mode);
  while (const auto tlv = reader.next()) {
    if (hmac && tlv->type != static_cast<std::uint8_t>(TlvType::extra_padding)) return false;
    if (tlv->type == static_cast<std::uint8_t>(TlvType::hmac)) hmac = tlv;
  }
  if (!hmac || reader.malformed() || hmac->value.size() != kHmacSize) return false;
  const auto covered = datagram.subspan(base_size(mode), hmac->offset - base_size(mode));
  const auto digest = hmac_sha256(key, {datagram.first(kSequenceSize), covered});
  return equal_constant_time(ByteView(digest).first(kHmacSize), hmac->value);
}

void append_location_request(Bytes& packet) {
  auto* value = append_zeros(packet, static_cast<std::uint8_t>(TlvType::location),
                             kLocationPorts + kTlvHeaderSize + kSubTlvAddress);
  value[kLocationPorts] = kFlagUnrecognised;
  value[kLocationPorts + 1] = kSubSourceIp;
  put_u16(&value[kLocationPorts + 2], kSubTlvAddress);
}

std::optional<Endpoint> parse_location_source(ByteView value) {
  if (value.size() < kLocationPorts) return std::nullopt;
  const auto port = get_u16(&value[2]);
  auto rest = value.subspan(kLocationPorts);
  while (rest.size() >= kTlvHeaderSize) {
    const auto flags = rest[0];
    const auto type = rest[1];
    const std::size_t length = get_u16(&rest[2]);
    rest = rest.subspan(kTlvHeaderSize);
    if (length > rest.size()) return std::nullopt;
    const auto address = rest.first(length);
    rest = rest.subspan(length);
    const bool usable = (flags & (kFlagUnrecognised | kFlagMalformed)) == 0 && length == kSubTlvAddress;
    if (usable && type == kSubSourceIpv4) return Endpoint{IpAddress::v4(get_u32(address.data())), port};
    if (usable && type == kSubSourceIpv6) {
      std::array<std::uint8_t, 16> bytes{};
      std::copy(address.begin(), address.end(), bytes.begin());
      return Endpoint{IpAddress::v6(bytes), port};
    }
  }
  return std::nullopt;
}

void append_direct_measurement(Bytes& packet, std::uint32_t sender_tx) {
  std::array<std::uint8_t, kDirectMeasurementSize> value{};
  put_u32(value.data(), sender_tx);
  append_tlv(packet, TlvType::direct_measurement, value);
}

std::optional<DirectMeasurement> parse_direct_measurement(ByteView value) {
  if (value.size() != kDirectMeasurementSize) return std::nullopt;
  return DirectMeasurement{get_u32(&value[0]), get_u32(&value[4]), get_u32(&value[8])};
}

std::array<std::uint8_t, FlowTlv::kSize> FlowTlv::encode() const {
  std::array<std::uint8_t, kSize> out{};
  out[0] = kVersion;
  out[1] = suppress ? 1 : 0;
  put_u32(&out[4], key_id);
  put_u64(&out[8], gateway_id);
  put_u64(&out[16], flow_id);
  put_u32(&out[24], hold_ms);
  put_u32(&out[28], boot_epoch);
  put_u64(&out[32], instance_id);
  return out;
}

std::optional<FlowTlv> FlowTlv::parse(ByteView value) {
  if (value.size() != kSize || value[0] != kVersion) return std::nullopt;
  FlowTlv tlv;
  tlv.suppress = (value[1] & 1) != 0;
  tlv.key_id = get_u32(&value[4]);
  tlv.gateway_id = get_u64(&value[8]);
  tlv.flow_id = get_u64(&value[16]);
  tlv.hold_ms = get_u32(&value[24]);
  tlv.boot_epoch = get_u32(&value[28]);
  tlv.instance_id = get_u64(&value[32]);
  return tlv;
}

void append_naming_padding(Bytes& packet, std::uint64_t flow_id) {
  std::array<std::uint8_t, kNamingPaddingSize> value{};
  put_u64(&value[0], flow_id);
  put_u64(&value[8], mix(flow_id));
  append_tlv(packet, TlvType::extra_padding, value);
}

std::optional<std::uint64_t> parse_naming_padding(ByteView value) {
  if (value.size() != kNamingPaddingSize) return std::nullopt;
  const auto flow_id = get_u64(&value[0]);
  if (get_u64(&value[8]) != mix(flow_id)) return std::nullopt;
  return flow_id;
}

}  // namespace ue::stamp
