#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/bytes.h"

/// STUN messages (RFC 8489 §5, §14): header and attributes, without any method of their own. Pure functions
/// on octets: no socket, no clock, nothing kept. Whatever is read is checked against the bounds of the
/// datagram.
namespace ue::stun {

inline constexpr std::uint32_t kMagicCookie = 0x2112A442;
inline constexpr std::size_t kHeaderSize = 20;

using TransactionId = std::array<std::uint8_t, 12>;
/// 96 random bits, as RFC 8489 §5 asks, so that nobody off the path can forge an answer.
TransactionId random_transaction_id();

enum class MessageType : std::uint16_t {
  binding_request = 0x0001,
  binding_success = 0x0101,
  binding_error = 0x0111,
};

enum class AttributeType : std::uint16_t {
  mapped_address = 0x0001,
  change_request = 0x0003,  ///< RFC 5780 §7.2
  message_integrity = 0x0008,
  error_code = 0x0009,
  message_integrity_sha256 = 0x001C,
  xor_mapped_address = 0x0020,
  response_port = 0x0027,    ///< RFC 5780 §7.5
  response_origin = 0x802B,  ///< RFC 5780 §7.3
  other_address = 0x802C,    ///< RFC 5780 §7.4
};

struct Header {
  std::uint16_t type = 0;
  std::uint16_t length = 0;  ///< octets after the header
  TransactionId transaction_id{};
};

/// Nothing unless the datagram is exactly one STUN message: two zero bits, the cookie, and a length that is a
/// multiple of four and ends where the datagram ends.
std::optional<Header> parse_header(ByteView datagram);

struct Attribute {
  std::uint16_t type = 0;
  ByteView value;  ///< without padding

  bool is(AttributeType t) const { return type == static_cast<std::uint16_t>(t); }
  /// Below 0x8000: who does not know it must not use the message (RFC 8489 §6.3).
  bool comprehension_required() const { return type < 0x8000; }
};

/// Walks the attributes of a message whose header has been parsed. It stops at the first that does not fit;
/// malformed() then says so.
class AttributeReader {
 public:
  explicit AttributeReader(ByteView message) : message_(message) {}
  std::optional<Attribute> next();
  bool malformed() const { return malformed_; }

 private:
  ByteView message_;
  std::size_t offset_ = kHeaderSize;
  bool malformed_ = false;
};

/// Starts a message without attributes.
Bytes begin_message(MessageType type, const TransactionId& id);
/// Appends an attribute with its padding and corrects the header's length. `value` has at most 763 octets.
void append_attribute(Bytes& message, std::uint16_t type, ByteView value);

/// MAPPED-ADDRESS, OTHER-ADDRESS, RESPONSE-ORIGIN (RFC 8489 §14.1); nothing on another family or length.
std::optional<Endpoint> parse_address(ByteView value);
/// XOR-MAPPED-ADDRESS (RFC 8489 §14.2).
std::optional<Endpoint> parse_xor_address(ByteView value, const TransactionId& id);

}  // namespace ue::stun
