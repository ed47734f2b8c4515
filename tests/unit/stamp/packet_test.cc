#include "stamp/packet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "counting_key.h"

namespace ue::stamp {
namespace {

SenderPacket vector_packet() { return {7, {0xEE000000, 0x80000000}, ErrorEstimate::decode(0x9240), 0x1234}; }

ReflectorPacket full_reply() {
  ReflectorPacket p;
  p.sequence = 0x01020304;
  p.timestamp = {0x11121314, 0x15161718};
  p.error_estimate = ErrorEstimate::decode(0x8101);
  p.ssid = 0x2122;
  p.receive_timestamp = {0x31323334, 0x35363738};
  p.sender_sequence = 0x41424344;
  p.sender_timestamp = {0x51525354, 0x55565758};
  p.sender_error_estimate = ErrorEstimate::decode(0x4202);
  p.sender_ttl = 0x61;
  return p;
}

// The vector of this project's notes: key 00 01 .. 1f, T1 EE000000.80000000, error 0x9240, SSID 0x1234,
// sequence 7.
TEST(Packet, AuthenticatedSenderMatchesTheTestVector) {
  Bytes packet(kAuthenticatedSize, 0xAA);
  encode(vector_packet(), Mode::authenticated, packet);
  sign_base(packet, counting_key());
  EXPECT_EQ(to_hex(ByteView(packet)), "00000007" + std::string(24, '0') + "ee00000080000000" + "9240" +
                                          "1234" + std::string(136, '0') +
                                          "f955d53f9ec6f9927ac2b0b9afe5b95a");
  EXPECT_TRUE(verify_base(packet, counting_key()));
}

TEST(Packet, EveryOctetUnderTheHmacCounts) {
  Bytes packet(kAuthenticatedSize);
  encode(vector_packet(), Mode::authenticated, packet);
  sign_base(packet, counting_key());
  for (std::size_t i = 0; i < packet.size(); ++i) {
    packet[i] ^= 1;
    EXPECT_FALSE(verify_base(packet, counting_key())) << i;
    packet[i] ^= 1;
  }
  auto other = counting_key();
  other[31] ^= 0x80;
  EXPECT_FALSE(verify_base(packet, other));
}

TEST(Packet, TlvsAreOutsideTheBaseHmac) {
  Bytes packet(kAuthenticatedSize);
  encode(vector_packet(), Mode::authenticated, packet);
  sign_base(packet, counting_key());
  packet.push_back(0x55);
  EXPECT_TRUE(verify_base(packet, counting_key()));
}

// Figures 2 and 5 of RFC 8762, field by field at their offsets.
TEST(Packet, UnauthenticatedReplyHasTheRfcLayout) {
  Bytes packet(kUnauthenticatedSize, 0xAA);
  encode(full_reply(), Mode::unauthenticated, packet);
  EXPECT_EQ(to_hex(ByteView(packet)),
            "01020304"
            "1112131415161718"
            "8101"
            "2122"
            "3132333435363738"
            "41424344"
            "5152535455565758"
            "4202"
            "0000"
            "61"
            "000000");
}

TEST(Packet, AuthenticatedReplyHasTheRfcLayout) {
  Bytes packet(kAuthenticatedSize, 0xAA);
  encode(full_reply(), Mode::authenticated, packet);
  EXPECT_EQ(to_hex(ByteView(packet)), "01020304" + std::string(24, '0') +
                                          "1112131415161718"
                                          "8101"
                                          "2122"
                                          "00000000"
                                          "3132333435363738" +
                                          std::string(16, '0') + "41424344" + std::string(24, '0') +
                                          "5152535455565758"
                                          "4202" +
                                          std::string(12, '0') + "61" + std::string(30, '0') +
                                          std::string(32, '0'));
}

class BothModes : public testing::TestWithParam<Mode> {};
INSTANTIATE_TEST_SUITE_P(Packet, BothModes, testing::Values(Mode::unauthenticated, Mode::authenticated));

TEST_P(BothModes, RoundTrips) {
  Bytes packet(base_size(GetParam()), 0xFF);
  encode(vector_packet(), GetParam(), packet);
  EXPECT_EQ(parse_sender(packet, GetParam()), vector_packet());
  EXPECT_EQ(peek_ssid(packet, GetParam()), 0x1234);
  encode(full_reply(), GetParam(), packet);
  EXPECT_EQ(parse_reflector(packet, GetParam()), full_reply());
  EXPECT_EQ(peek_ssid(packet, GetParam()), 0x2122);
}

TEST_P(BothModes, NothingIsReadFromATruncatedPacket) {
  Bytes packet(base_size(GetParam()));
  encode(full_reply(), GetParam(), packet);
  for (std::size_t n = 0; n < packet.size(); ++n) {
    const Bytes shorter(packet.begin(),
                        packet.begin() + static_cast<std::ptrdiff_t>(n));  // ASan sees a read past it
    EXPECT_FALSE(parse_sender(shorter, GetParam())) << n;
    EXPECT_FALSE(parse_reflector(shorter, GetParam())) << n;
    EXPECT_FALSE(peek_ssid(shorter, GetParam())) << n;
    EXPECT_FALSE(verify_base(shorter, counting_key())) << n;
  }
}

TEST_P(BothModes, MultiplierZeroIsRefused) {
  auto bad = full_reply();
  bad.error_estimate.multiplier = 0;
  Bytes packet(base_size(GetParam()));
  encode(bad, GetParam(), packet);
  EXPECT_FALSE(parse_reflector(packet, GetParam()));
  EXPECT_FALSE(parse_sender(packet, GetParam()));
  bad = full_reply();
  bad.sender_error_estimate.multiplier = 0;
  encode(bad, GetParam(), packet);
  EXPECT_FALSE(parse_reflector(packet, GetParam()));
}

}  // namespace
}  // namespace ue::stamp
