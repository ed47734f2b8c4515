#include "stun/binding.h"

#include <gtest/gtest.h>

#include <random>

namespace ue::stun {
namespace {

TransactionId id_from(const Bytes& message) {
  TransactionId id{};
  std::copy_n(message.begin() + 8, id.size(), id.begin());
  return id;
}

// RFC 5769 §2.2 and §2.3: responses with SOFTWARE, XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY and FINGERPRINT.
const Bytes kIpv4Response = *from_hex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96");
const Bytes kIpv6Response = *from_hex(
    "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9fa"
    "a5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c");
const TransactionId kId = id_from(kIpv4Response);

Bytes address_value(const std::string& text, std::uint16_t port) {
  const auto address = *IpAddress::parse(text);
  const std::size_t size = address.is_v4() ? 4 : 16;
  Bytes value(4 + size);
  value[1] = address.is_v4() ? 1 : 2;
  put_u16(value.data() + 2, port);
  std::copy_n(address.bytes().begin(), size, value.begin() + 4);
  return value;
}

void append(Bytes& message, AttributeType type, const Bytes& value) {
  append_attribute(message, static_cast<std::uint16_t>(type), value);
}

TEST(Binding, RequestIsTheBareHeader) {
  EXPECT_EQ(to_hex(encode_binding_request(kId)), "000100002112a442b7e7a701bc34d686fa87dfae");
}

// RFC 5780 §7.2 and §7.5.
TEST(Binding, WhereTheAnswerIsToComeFromAndGoTo) {
  const std::string id = "2112a442b7e7a701bc34d686fa87dfae";
  EXPECT_EQ(to_hex(encode_binding_request(kId, {true, true, {}})), "00010008" + id + "0003000400000006");
  EXPECT_EQ(to_hex(encode_binding_request(kId, {true, false, {}})), "00010008" + id + "0003000400000004");
  EXPECT_EQ(to_hex(encode_binding_request(kId, {false, true, {}})), "00010008" + id + "0003000400000002");
  EXPECT_EQ(to_hex(encode_binding_request(kId, {false, false, 40000})), "00010008" + id + "002700049c400000");
}

TEST(Binding, TransactionIdsDiffer) { EXPECT_NE(random_transaction_id(), random_transaction_id()); }

TEST(Binding, Rfc5769Ipv4Response) {
  const auto response = parse_binding_response(kIpv4Response, kId);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->mapped->to_string(), "192.0.2.1:32853");
  EXPECT_TRUE(response->xor_mapped);
  EXPECT_FALSE(response->error);
  EXPECT_FALSE(response->other_address);
}

TEST(Binding, Rfc5769Ipv6Response) {
  const auto response = parse_binding_response(kIpv6Response, kId);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->mapped->to_string(), "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

TEST(Binding, PlainMappedAddressIsTheFallback) {
  auto message = begin_message(MessageType::binding_success, kId);
  append(message, AttributeType::mapped_address, address_value("198.51.100.7", 4242));
  auto response = parse_binding_response(message, kId);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->mapped->to_string(), "198.51.100.7:4242");
  EXPECT_FALSE(response->xor_mapped);

  // The XOR form wins wherever it stands.
  append(message, AttributeType::xor_mapped_address, *from_hex("0001a147e112a643"));
  response = parse_binding_response(message, kId);
  EXPECT_EQ(response->mapped->to_string(), "192.0.2.1:32853");
  EXPECT_TRUE(response->xor_mapped);
}

TEST(Binding, Rfc5780Attributes) {
  auto message = begin_message(MessageType::binding_success, kId);
  append(message, AttributeType::xor_mapped_address, *from_hex("0001a147e112a643"));
  append(message, AttributeType::response_origin, address_value("203.0.113.10", 3478));
  append(message, AttributeType::other_address, address_value("2001:db8::11", 3479));
  const auto response = parse_binding_response(message, kId);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->response_origin->to_string(), "203.0.113.10:3478");
  EXPECT_EQ(response->other_address->to_string(), "[2001:db8::11]:3479");
}

TEST(Binding, FirstOfTwoCounts) {
  auto message = begin_message(MessageType::binding_success, kId);
  append(message, AttributeType::mapped_address, address_value("198.51.100.7", 1));
  append(message, AttributeType::mapped_address, address_value("198.51.100.8", 2));
  EXPECT_EQ(parse_binding_response(message, kId)->mapped->to_string(), "198.51.100.7:1");
}

TEST(Binding, WhatFollowsMessageIntegrityIsIgnored) {
  auto message = begin_message(MessageType::binding_success, kId);
  append(message, AttributeType::mapped_address, address_value("198.51.100.7", 1));
  append(message, AttributeType::message_integrity, Bytes(20));
  append(message, AttributeType::other_address, address_value("198.51.100.8", 2));
  const auto response = parse_binding_response(message, kId);
  ASSERT_TRUE(response);
  EXPECT_FALSE(response->other_address);
}

TEST(Binding, ErrorResponse) {
  auto message = begin_message(MessageType::binding_error, kId);
  append(message, AttributeType::error_code, *from_hex("00000414556e6b6e6f776e"));
  append_attribute(message, 0x000A, *from_hex("0003"));
  const auto response = parse_binding_response(message, kId);
  ASSERT_TRUE(response);
  ASSERT_TRUE(response->error);
  EXPECT_EQ(response->error->code, 420);
  EXPECT_EQ(response->error->reason, "Unknown");
  EXPECT_FALSE(response->mapped);
}

TEST(Binding, RefusesWhatIsNoAnswerToThisRequest) {
  auto other_id = kId;
  other_id[11] ^= 1;
  EXPECT_FALSE(parse_binding_response(kIpv4Response, other_id));
  EXPECT_FALSE(parse_binding_response(encode_binding_request(kId), kId)) << "a request";
  EXPECT_FALSE(parse_binding_response(begin_message(MessageType::binding_success, kId), kId)) << "no address";
  EXPECT_FALSE(parse_binding_response(begin_message(MessageType::binding_error, kId), kId))
      << "no error code";

  auto message = kIpv4Response;
  message[4] ^= 1;
  EXPECT_FALSE(parse_binding_response(message, kId)) << "cookie";
  message = kIpv4Response;
  message[0] |= 0x80;
  EXPECT_FALSE(parse_binding_response(message, kId)) << "RTP, not STUN";
  message = kIpv4Response;
  message.push_back(0);
  EXPECT_FALSE(parse_binding_response(message, kId)) << "trailing octet";
}

TEST(Binding, RefusesUnknownAttributesThatMustBeUnderstood) {
  auto message = begin_message(MessageType::binding_success, kId);
  append(message, AttributeType::mapped_address, address_value("198.51.100.7", 1));
  auto optional_one = message;
  append_attribute(optional_one, 0xC057, Bytes(4));
  EXPECT_TRUE(parse_binding_response(optional_one, kId));
  append_attribute(message, 0x7FFF, Bytes(4));
  EXPECT_FALSE(parse_binding_response(message, kId));
}

TEST(Binding, RefusesBadAddressesAndCodes) {
  for (const auto* value :
       {"", "0001", "0001a147e112a6", "0003a147e112a643", "0002a147e112a643", "0001a147e112a64300"}) {
    auto message = begin_message(MessageType::binding_success, kId);
    append(message, AttributeType::xor_mapped_address, *from_hex(value));
    EXPECT_FALSE(parse_binding_response(message, kId)) << value;
  }
  for (const auto* value : {"", "000004", "00000200", "00000700", "00000464"}) {
    auto message = begin_message(MessageType::binding_error, kId);
    append(message, AttributeType::error_code, *from_hex(value));
    EXPECT_FALSE(parse_binding_response(message, kId)) << value;
  }
}

TEST(Binding, EveryTruncationIsRefused) {
  for (std::size_t size = 0; size < kIpv6Response.size(); ++size) {
    // As a heap block of exactly this size, so that a read beyond it is seen by the address sanitizer.
    Bytes cut(kIpv6Response.begin(), kIpv6Response.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(parse_binding_response(cut, kId)) << size;
    if (size < kHeaderSize) continue;
    put_u16(cut.data() + 2, static_cast<std::uint16_t>(size - kHeaderSize));
    const auto response = parse_binding_response(cut, kId);
    // With a corrected length only whole attributes may be believed, and XOR-MAPPED-ADDRESS ends at 60.
    if (size < 60 || size % 4 != 0) {
      EXPECT_FALSE(response) << size;
    }
  }
}

TEST(Binding, SurvivesRandomInput) {
  std::mt19937 random(20220714);
  std::size_t accepted = 0;
  for (int round = 0; round < 50'000; ++round) {
    Bytes message = round % 2 == 0 ? kIpv4Response : kIpv6Response;
    const auto changes = 1 + random() % 4;
    for (unsigned i = 0; i < changes; ++i) {
      message[20 + random() % (message.size() - 20)] = static_cast<std::uint8_t>(random());
    }
    if (const auto response = parse_binding_response(message, kId)) {
      ++accepted;
      EXPECT_TRUE(response->mapped);
    }
  }
  EXPECT_GT(accepted, 1000u) << "the input must reach beyond the header";
}

}  // namespace
}  // namespace ue::stun
