#include "stamp/tlv.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "counting_key.h"

namespace ue::stamp {
namespace {

Bytes base_packet(Mode mode = Mode::unauthenticated) {
  Bytes packet(base_size(mode));
  encode(SenderPacket{7, {0xEE000000, 0x80000000}, ErrorEstimate::decode(0x9240), 0x1234}, mode, packet);
  return packet;
}

Bytes raw_tlvs(std::initializer_list<std::uint8_t> octets) {
  auto packet = base_packet();
  packet.insert(packet.end(), octets);
  return packet;
}

// The second vector of this project's notes: Location and HMAC TLVs after an unauthenticated base packet.
TEST(Tlv, LocationWithHmacMatchesTheTestVector) {
  auto packet = base_packet();
  append_location_request(packet);
  append_hmac_tlv(packet, Mode::unauthenticated, counting_key());
  ASSERT_EQ(packet.size(), 92U);
  EXPECT_EQ(to_hex(ByteView(packet).subspan(44)),
            "8002001800000000"
            "80070010" +
                std::string(32, '0') + "80080010a4c29e1bca2af5b1376cd56c81d9f737");
  EXPECT_TRUE(verify_hmac_tlv(packet, Mode::unauthenticated, counting_key()));
}

TEST(Tlv, HmacCoversTheSequenceNumberAndTheTlvsOnly) {
  auto packet = base_packet();
  append_location_request(packet);
  append_hmac_tlv(packet, Mode::unauthenticated, counting_key());
  const auto intact_after_flip = [&](std::size_t i) {
    packet[i] ^= 4;
    const bool ok = verify_hmac_tlv(packet, Mode::unauthenticated, counting_key());
    packet[i] ^= 4;
    return ok;
  };
  for (std::size_t i = 0; i < 4; ++i) EXPECT_FALSE(intact_after_flip(i)) << i;
  for (std::size_t i = 4; i < 44; ++i) EXPECT_TRUE(intact_after_flip(i)) << i;
  for (std::size_t i = 44; i < packet.size(); ++i) {
    if (i == 44 + 28) continue;  // the flags of the HMAC TLV itself are outside
    EXPECT_FALSE(intact_after_flip(i)) << i;
  }
}

TEST(Tlv, OnlyPaddingMayFollowTheHmac) {
  auto packet = base_packet(Mode::authenticated);
  append_direct_measurement(packet, 9);
  append_hmac_tlv(packet, Mode::authenticated, counting_key());
  append_tlv(packet, TlvType::extra_padding, Bytes(5, 1));
  append_tlv(packet, TlvType::extra_padding, {});
  EXPECT_TRUE(verify_hmac_tlv(packet, Mode::authenticated, counting_key()));
  auto second = packet;
  append_hmac_tlv(second, Mode::authenticated, counting_key());
  EXPECT_FALSE(verify_hmac_tlv(second, Mode::authenticated, counting_key()));
  append_direct_measurement(packet, 9);
  EXPECT_FALSE(verify_hmac_tlv(packet, Mode::authenticated, counting_key()));
}

TEST(Tlv, NoHmacTlvIsNoProof) {
  EXPECT_FALSE(verify_hmac_tlv(base_packet(), Mode::unauthenticated, counting_key()));
  auto packet = base_packet();
  append_tlv(packet, TlvType::hmac, Bytes(15));
  EXPECT_FALSE(verify_hmac_tlv(packet, Mode::unauthenticated, counting_key()));
}

TEST(TlvReader, WalksAndStops) {
  const auto packet = raw_tlvs({0x80, 1, 0, 2, 0xA, 0xB, 0, 77, 0, 0});
  TlvReader reader(packet, Mode::unauthenticated);
  const auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->offset, 44U);
  EXPECT_EQ(first->flags, 0x80);
  EXPECT_EQ(first->type, 1);
  EXPECT_EQ(Bytes(first->value.begin(), first->value.end()), (Bytes{0xA, 0xB}));
  const auto second = reader.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->offset, 50U);
  EXPECT_EQ(second->type, 77);
  EXPECT_TRUE(second->value.empty());
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.malformed());
}

TEST(TlvReader, MalformedTlvsStopTheWalk) {
  struct Case {
    Bytes packet;
    std::size_t good;
    std::size_t offset;
  };
  const Case cases[] = {
      {raw_tlvs({0x80}), 0, 44},
      {raw_tlvs({0x80, 1, 0}), 0, 44},
      {raw_tlvs({0x80, 1, 0, 1}), 0, 44},
      {raw_tlvs({0x80, 1, 0xff, 0xff, 1, 2, 3}), 0, 44},
      {raw_tlvs({0x80, 1, 0, 0, 0x80, 5, 0, 12, 1}), 1, 48},
      {raw_tlvs({0x80, 1, 0, 0, 0x80, 5}), 1, 48},
  };
  for (const auto& c : cases) {
    TlvReader reader(c.packet, Mode::unauthenticated);
    std::size_t good = 0;
    while (reader.next()) ++good;
    EXPECT_EQ(good, c.good);
    EXPECT_TRUE(reader.malformed());
    EXPECT_EQ(reader.malformed_offset(), c.offset);
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(verify_hmac_tlv(c.packet, Mode::unauthenticated, counting_key()));
  }
}

TEST(TlvReader, EveryTruncationIsEitherACleanEndOrMalformed) {
  auto packet = base_packet(Mode::authenticated);
  std::vector<std::size_t> ends{packet.size()};
  const auto mark = [&] { ends.push_back(packet.size()); };
  append_location_request(packet), mark();
  append_direct_measurement(packet, 3), mark();
  append_tlv(packet, TlvType::flow_control, FlowTlv{}.encode()), mark();
  append_hmac_tlv(packet, Mode::authenticated, counting_key()), mark();
  for (std::size_t n = 0; n <= packet.size(); ++n) {
    const Bytes shorter(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(n));
    TlvReader reader(shorter, Mode::authenticated);
    std::size_t seen = 0;
    while (reader.next()) ++seen;
    const bool clean = n < ends[0] || std::find(ends.begin(), ends.end(), n) != ends.end();
    EXPECT_EQ(reader.malformed(), !clean) << n;
    const auto whole = std::upper_bound(ends.begin(), ends.end(), n) - ends.begin();
    EXPECT_EQ(seen, static_cast<std::size_t>(std::max<std::ptrdiff_t>(whole - 1, 0))) << n;
    EXPECT_EQ(verify_hmac_tlv(shorter, Mode::authenticated, counting_key()), n == packet.size()) << n;
  }
}

TEST(Tlv, FindTakesTheFirstOfAType) {
  auto packet = base_packet();
  append_direct_measurement(packet, 1);
  append_direct_measurement(packet, 2);
  const auto tlv = find_tlv(packet, Mode::unauthenticated, TlvType::direct_measurement);
  ASSERT_TRUE(tlv);
  EXPECT_EQ(parse_direct_measurement(tlv->value)->sender_tx, 1U);
  EXPECT_FALSE(find_tlv(packet, Mode::unauthenticated, TlvType::location));
}

TEST(Location, SourceIsReadBack) {
  const Bytes v4{0x03, 0x5e, 0xa1, 0x06, 0, 8, 0, 16, 198, 51, 100, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(parse_location_source(v4)->to_string(), "198.51.100.1:41222");
  Bytes v6{0x03, 0x5e, 0xa1, 0x06, 0, 9, 0, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  EXPECT_EQ(parse_location_source(v6)->to_string(), "[2001:db8::1]:41222");
  for (std::size_t n = 0; n < v6.size(); ++n) {
    EXPECT_FALSE(parse_location_source(Bytes(v6.begin(), v6.begin() + static_cast<std::ptrdiff_t>(n)))) << n;
  }
  v6[4] = kFlagUnrecognised;
  EXPECT_FALSE(parse_location_source(v6));
  auto request = base_packet();
  append_location_request(request);
  EXPECT_FALSE(parse_location_source(find_tlv(request, Mode::unauthenticated, TlvType::location)->value));
}

TEST(Location, OtherSubTlvsAreSkipped) {
  const Bytes value{0, 1, 0, 2, 0, 5, 0, 2, 9, 9, 0, 8, 0, 16, 192,
                    0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0};
  EXPECT_EQ(parse_location_source(value)->to_string(), "192.0.2.7:2");
}

TEST(DirectMeasurement, ReadsThreeCounters) {
  const Bytes value{0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0};
  EXPECT_EQ(parse_direct_measurement(value), (DirectMeasurement{1, 256, 16777216}));
  EXPECT_FALSE(parse_direct_measurement(ByteView(value).first(11)));
}

TEST(FlowTlv, HasTheDocumentedLayoutAndRoundTrips) {
  FlowTlv flow;
  flow.suppress = true;
  flow.key_id = 0x01020304;
  flow.gateway_id = 0x1112131415161718;
  flow.flow_id = 0x2122232425262728;
  flow.hold_ms = 0x31323334;
  flow.boot_epoch = 0x41424344;
  flow.instance_id = 0x5152535455565758;
  const auto wire = flow.encode();
  EXPECT_EQ(to_hex(ByteView(wire)),
            "01010000"
            "01020304"
            "1112131415161718"
            "2122232425262728"
            "31323334"
            "41424344"
            "5152535455565758");
  EXPECT_EQ(FlowTlv::parse(wire), flow);
}

TEST(FlowTlv, OtherLengthsAndVersionsAreRefused) {
  const auto wire = FlowTlv{}.encode();
  for (std::size_t n = 0; n < wire.size(); ++n) EXPECT_FALSE(FlowTlv::parse(ByteView(wire).first(n))) << n;
  Bytes longer(wire.begin(), wire.end());
  longer.push_back(0);
  EXPECT_FALSE(FlowTlv::parse(longer));
  auto other = wire;
  other[0] = 2;
  EXPECT_FALSE(FlowTlv::parse(other));
}

TEST(NamingPadding, NamesAFlowAndForeignPaddingDoesNot) {
  auto packet = base_packet();
  append_naming_padding(packet, 0xfedcba9876543210);
  const auto tlv = find_tlv(packet, Mode::unauthenticated, TlvType::extra_padding);
  ASSERT_TRUE(tlv);
  EXPECT_EQ(tlv->value.size(), kNamingPaddingSize);
  EXPECT_EQ(parse_naming_padding(tlv->value), 0xfedcba9876543210);
  EXPECT_FALSE(parse_naming_padding(Bytes(kNamingPaddingSize)));
  EXPECT_FALSE(parse_naming_padding(tlv->value.first(15)));
}

// Random TLV areas: no parser may read outside (ASan) and the walk always ends.
TEST(Tlv, RandomOctetsAreSurvived) {
  std::mt19937 random(8972);
  for (int round = 0; round < 20'000; ++round) {
    auto packet = base_packet();
    packet.resize(44 + random() % 80);
    for (std::size_t i = 44; i < packet.size(); ++i) packet[i] = static_cast<std::uint8_t>(random() % 24);
    TlvReader reader(packet, Mode::unauthenticated);
    std::size_t octets = 0;
    while (const auto tlv = reader.next()) {
      octets += kTlvHeaderSize + tlv->value.size();
      (void)parse_location_source(tlv->value);
    }
    ASSERT_LE(44 + octets, packet.size());
    ASSERT_EQ(reader.malformed(), 44 + octets != packet.size());
    ASSERT_FALSE(verify_hmac_tlv(packet, Mode::unauthenticated, counting_key()));
  }
}

}  // namespace
}  // namespace ue::stamp
