#include "stun/message.h"

#include <algorithm>

namespace ue::stun {

namespace {

constexpr std::uint8_t kFamilyIpv4 = 1;
constexpr std::uint8_t kFamilyIpv6 = 2;
constexpr std::size_t kAttributeHeaderSize = 4;

constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

}  // namespace

TransactionId random_transaction_id() {
  TransactionId id{};
  random_fill(id);
  return id;
}

std::optional<Header> parse_header(ByteView datagram) {
  if (datagram.size() < kHeaderSize) return std::nullopt;
  Header header;
  header.type = get_u16(datagram.data());
  header.length = get_u16(datagram.data() + 2);
  if ((header.type & 0xC000) != 0 || get_u32(datagram.data() + 4) != kMagicCookie) return std::nullopt;
  if (header.length % 4 != 0 || header.length != datagram.size() - kHeaderSize) return std::nullopt;
  std::copy_n(datagram.begin() + 8, header.transaction_id.size(), header.transaction_id.begin());
  return header;
}

std::optional<Attribute> AttributeReader::next() {
  if (malformed_ || offset_ >= message_.size()) return std::nullopt;
  const auto rest = message_.subspan(offset_);
  if (rest.size() < kAttributeHeaderSize) {
    malformed_ = true;
    return std::nullopt;
  }
  const std::size_t size = get_u16(rest.data() + 2);
  if (padded(size) > rest.size() - kAttributeHeaderSize) {
    malformed_ = true;
    return std::nullopt;
  }
  offset_ += kAttributeHeaderSize + padded(size);
  return Attribute{get_u16(rest.data()), rest.subspan(kAttributeHeaderSize, size)};
}

Bytes begin_message(MessageType type, const TransactionId& id) {
  Bytes message(kHeaderSize);
  put_u16(message.data(), static_cast<std::uint16_t>(type));
  put_u32(message.data() + 4, kMagicCookie);
  std::copy(id.begin(), id.end(), message.begin() + 8);
  return message;
}

void append_attribute(Bytes& message, std::uint16_t type, ByteView value) {
  const auto at = message.size();
  message.resize(at + kAttributeHeaderSize + padded(value.size()));
  put_u16(message.data() + at, type);
  put_u16(message.data() + at + 2, static_cast<std::uint16_t>(value.size()));
  std::copy(value.begin(), value.end(),
            message.begin() + static_cast<std::ptrdiff_t>(at + kAttributeHeaderSize));
  put_u16(message.data() + 2, static_cast<std::uint16_t>(message.size() - kHeaderSize));
}

std::optional<Endpoint> parse_address(ByteView value) {
  if (value.size() == 8 && value[1] == kFamilyIpv4) {
    return Endpoint{IpAddress::v4(get_u32(value.data() + 4)), get_u16(value.data() + 2)};
  }
  if (value.size() == 20 && value[1] == kFamilyIpv6) {
    std::array<std::uint8_t, 16> address{};
    std::copy_n(value.begin() + 4, address.size(), address.begin());
    return Endpoint{IpAddress::v6(address), get_u16(value.data() + 2)};
  }
  return std::nullopt;
}

std::optional<Endpoint> parse_xor_address(ByteView value, const TransactionId& id) {
  if (value.size() < 8 || value.size() > 20) return std::nullopt;
  // Port and IPv4 are masked with the cookie, IPv6 with the cookie and the transaction id.
  std::array<std::uint8_t, 16> mask{};
  put_u32(mask.data(), kMagicCookie);
  std::copy(id.begin(), id.end(), mask.begin() + 4);
  std::array<std::uint8_t, 20> plain{};
  std::copy(value.begin(), value.end(), plain.begin());
  plain[2] ^= mask[0];
  plain[3] ^= mask[1];
  for (std::size_t i = 4; i < value.size(); ++i) plain[i] ^= mask[i - 4];
  return parse_address(ByteView(plain).first(value.size()));
}

}  // namespace ue::stun
