#include "stamp/packet.h"

#include <algorithm>

#include "base/hmac.h"

namespace ue::stamp {

namespace {

/// Offsets of the fields: RFC 8762 figures 2 to 5, SSID as RFC 8972 figures 1 to 4. The Sequence Number is at
/// 0 in all.
struct Layout {
  std::size_t timestamp, error_estimate, ssid;
  std::size_t receive_timestamp, sender_sequence, sender_timestamp, sender_error_estimate, sender_ttl;
};
constexpr Layout kUnauthenticated{4, 12, 14, 16, 24, 28, 36, 40};
constexpr Layout kAuthenticated{16, 24, 26, 32, 48, 64, 72, 80};
constexpr std::size_t kHmacOffset = kAuthenticatedSize - kHmacSize;

const Layout& layout(Mode mode) { return mode == Mode::authenticated ? kAuthenticated : kUnauthenticated; }

void put_time(std::uint8_t* p, NtpTime t) {
  put_u32(p, t.seconds);
  put_u32(p + 4, t.fraction);
}
NtpTime get_time(const std::uint8_t* p) { return {get_u32(p), get_u32(p + 4)}; }
ErrorEstimate get_error(const std::uint8_t* p) { return ErrorEstimate::decode(get_u16(p)); }

/// What both directions have in common.
template <typename Packet>
void encode_common(const Packet& packet, Mode mode, std::span<std::uint8_t> out) {
  std::fill_n(out.begin(), base_size(mode), std::uint8_t{0});
  const auto& at = layout(mode);
  put_u32(out.data(), packet.sequence);
  put_time(&out[at.timestamp], packet.timestamp);
  put_u16(&out[at.error_estimate], packet.error_estimate.encode());
  put_u16(&out[at.ssid], packet.ssid);
}

template <typename Packet>
bool read_common(ByteView datagram, Mode mode, Packet& packet) {
  if (datagram.size() < base_size(mode)) return false;
  const auto& at = layout(mode);
  packet.sequence = get_u32(datagram.data());
  packet.timestamp = get_time(&datagram[at.timestamp]);
  packet.error_estimate = get_error(&datagram[at.error_estimate]);
  packet.ssid = get_u16(&datagram[at.ssid]);
  return packet.error_estimate.valid();
}

}  // namespace

void encode(const SenderPacket& packet, Mode mode, std::span<std::uint8_t> out) {
  encode_common(packet, mode, out);
}

void encode(const ReflectorPacket& packet, Mode mode, std::span<std::uint8_t> out) {
  encode_common(packet, mode, out);
  const auto& at = layout(mode);
  put_time(&out[at.receive_timestamp], packet.receive_timestamp);
  put_u32(&out[at.sender_sequence], packet.sender_sequence);
  put_time(&out[at.sender_timestamp], packet.sender_timestamp);
  put_u16(&out[at.sender_error_estimate], packet.sender_error_estimate.encode());
  out[at.sender_ttl] = packet.sender_ttl;
}

std::optional<SenderPacket> parse_sender(ByteView datagram, Mode mode) {
  std::optional<SenderPacket> packet(std::in_place);
  if (!read_common(datagram, mode, *packet)) packet.reset();
  return packet;
}

std::optional<ReflectorPacket> parse_reflector(ByteView datagram, Mode mode) {
  ReflectorPacket packet;
  return read_reflector(datagram, mode, packet) ? std::optional(packet) : std::nullopt;
}

bool read_reflector(ByteView datagram, Mode mode, ReflectorPacket& packet) {
  if (!read_common(datagram, mode, packet)) return false;
  const auto& at = layout(mode);
  packet.receive_timestamp = get_time(&datagram[at.receive_timestamp]);
  packet.sender_sequence = get_u32(&datagram[at.sender_sequence]);
  packet.sender_timestamp = get_time(&datagram[at.sender_timestamp]);
  packet.sender_error_estimate = get_error(&datagram[at.sender_error_estimate]);
  packet.sender_ttl = datagram[at.sender_ttl];
  return packet.sender_error_estimate.valid();
}

std::optional<std::uint16_t> peek_ssid(ByteView datagram, Mode mode) {
  if (datagram.size() < base_size(mode)) return std::nullopt;
  return get_u16(&datagram[layout(mode).ssid]);
}

void sign_base(std::span<std::uint8_t> packet, ByteView key) {
  const auto digest = hmac_sha256(key, {packet.first(kHmacOffset)});
  std::copy_n(digest.begin(), kHmacSize, packet.begin() + kHmacOffset);
}

bool verify_base(ByteView datagram, ByteView key) {
  if (datagram.size() < kAuthenticatedSize) return false;
  const auto digest = hmac_sha256(key, {datagram.first(kHmacOffset)});
  return equal_constant_time(ByteView(digest).first(kHmacSize), datagram.subspan(kHmacOffset, kHmacSize));
}

}  // namespace ue::stamp
