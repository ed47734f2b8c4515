#pragma once
#include <optional>
#include <span>

#include "base/bytes.h"
#include "stamp/timestamp.h"

/// STAMP base packets: RFC 8762 with the SSID of RFC 8972, byte layouts as figures 1, 2, 4 and 5 there.
namespace ue::stamp {

enum class Mode : std::uint8_t { unauthenticated, authenticated };

inline constexpr std::size_t kUnauthenticatedSize = 44;
inline constexpr std::size_t kAuthenticatedSize = 112;
inline constexpr std::size_t kHmacSize = 16;
inline constexpr std::size_t base_size(Mode mode) {
  return mode == Mode::authenticated ? kAuthenticatedSize : kUnauthenticatedSize;
}

/// What a Session-Sender transmits.
struct SenderPacket {
  std::uint32_t sequence = 0;
  NtpTime timestamp;
  ErrorEstimate error_estimate;
  std::uint16_t ssid = 0;
  auto operator<=>(const SenderPacket&) const = default;
};

/// What a Session-Reflector transmits.
struct ReflectorPacket {
  std::uint32_t sequence = 0;
  NtpTime timestamp;
  ErrorEstimate error_estimate;
  std::uint16_t ssid = 0;
  NtpTime receive_timestamp;
  std::uint32_t sender_sequence = 0;
  NtpTime sender_timestamp;
  ErrorEstimate sender_error_estimate;
  std::uint8_t sender_ttl = 0;
  auto operator<=>(const ReflectorPacket&) const = default;
};

/// Writes the base packet into the first base_size(mode) octets of `out`: every MBZ octet zero and, in
/// authenticated mode, the HMAC field zero until sign_base(). `out` is at least that long.
void encode(const SenderPacket& packet, Mode mode, std::span<std::uint8_t> out);
void encode(const ReflectorPacket& packet, Mode mode, std::span<std::uint8_t> out);

/// Nothing where the datagram is shorter than the base packet or an Error Estimate has multiplier 0 (RFC 4656
/// §4.1.2). Does not look at the HMAC.
std::optional<SenderPacket> parse_sender(ByteView datagram, Mode mode);
std::optional<ReflectorPacket> parse_reflector(ByteView datagram, Mode mode);
/// The same in place; false where parse_reflector() has nothing, and then `packet` says nothing.
bool read_reflector(ByteView datagram, Mode mode, ReflectorPacket& packet);

/// Reads only the SSID, which selects the key before anything is verified; nothing where the datagram is too
/// short.
std::optional<std::uint16_t> peek_ssid(ByteView datagram, Mode mode);

/// HMAC-SHA-256 over octets 0-95, first 16 octets, into octets 96-111 (RFC 8762 §4.4). `packet` is at least
/// 112 long.
void sign_base(std::span<std::uint8_t> packet, ByteView key);
/// In constant time; false also where the datagram is too short.
bool verify_base(ByteView datagram, ByteView key);

}  // namespace ue::stamp
