#include "reflector/reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange.h"

namespace ue::reflector {
namespace {

TEST(Reply, LocationSaysWhatWasSeen) {
  Exchange x(false);
  auto packet = x.sender.base(0);
  stamp::append_location_request(packet);
  // port 862 = 035e, port 41000 = a028, sub-TLV 8: 198.51.100.7
  EXPECT_EQ(x.answer(packet),
            "00020018"
            "035ea028"
            "00080010"
            "c6336407" +
                std::string(24, '0'));
  x.sender.source = endpoint("2001:db8::7", 41000);
  x.rig.local = endpoint("2001:db8::1", 862);
  const auto v6 = x.answer(packet);
  EXPECT_EQ(v6,
            "00020018"
            "035ea028"
            "00090010"
            "20010db8000000000000000000000007");
  EXPECT_EQ(stamp::parse_location_source(ByteView(hex(v6)).subspan(4)), x.sender.source);
}

TEST(Reply, LocationSubTlvsAreAnsweredOneByOne) {
  Exchange x(false);
  const std::string zero16(32, '0');
  // source MAC (not told), destination address, a source request of the wrong length
  EXPECT_EQ(x.tlvs(hex("80020024"
                       "00000000"
                       "80010008"
                       "0000000000000000"
                       "80040010" +
                       zero16)),
            "00020024"
            "035ea028"
            "80010008"
            "0000000000000000"
            "00050010"
            "cb007101" +
                std::string(24, '0'));
  EXPECT_EQ(x.tlvs(hex("8002000c"
                       "00000000"
                       "80070004"
                       "00000000")),
            "0002000c"
            "035ea028"
            "40070004"
            "00000000");
  EXPECT_EQ(x.tlvs(hex("8002000a"
                       "00000000"
                       "80070010"
                       "0000")),
            "0002000a"
            "035ea028"
            "40070010"
            "0000");
  EXPECT_EQ(x.tlvs(hex("80020006"
                       "00000000"
                       "8007")),
            "40020006"
            "035ea028"
            "8007");
  EXPECT_EQ(x.tlvs(hex("80020002"
                       "0000")),
            "40020002"
            "0000");
}

TEST(Reply, DirectMeasurementCountsPacketsAndReplies) {
  Exchange x(false);
  x.rig.send(x.sender, x.sender.base(x.sequence++));
  x.sequence = 9;
  EXPECT_EQ(x.tlvs(hex("8005000c"
                       "0000000a"
                       "00000000"
                       "00000000")),
            "0005000c"
            "0000000a"
            "00000002"
            "00000002");
  EXPECT_EQ(x.tlvs(hex("8005000b"
                       "0000000a"
                       "00000000"
                       "000000")),
            "4005000b"
            "0000000a"
            "00000000"
            "000000");
}

TEST(Reply, TimestampInformationTellsOfTheClock) {
  Exchange x(false);
  EXPECT_EQ(x.tlvs(hex("80030004"
                       "00000000")),
            "00030004"
            "05020502");  // free-running, software
  x.rig.core.set_error_estimate({true, false, 0, 1});
  EXPECT_EQ(x.tlvs(hex("80030006"
                       "ffffffff"
                       "0a0b")),
            "40030006"
            "01020102"
            "0a0b");  // NTP; what follows is too short for a sub-TLV
  // A sub-TLV, whatever it is, is none that anybody has defined, also where its sender left U out.
  EXPECT_EQ(x.tlvs(hex("80030010"
                       "00000000"
                       "00010000"
                       "80020000"
                       "80010000")),
            "00030010"
            "01020102"
            "80010000"
            "80020000"
            "80010000");
  EXPECT_EQ(x.tlvs(hex("80030003"
                       "000000")),
            "40030003"
            "000000");
}

TEST(Reply, GoesOutWithTheDscpOfTheRequest) {
  Exchange x(false);
  x.rig.traffic_class = 46 << 2 | 3;
  x.answer(x.sender.base(x.sequence++));
  EXPECT_EQ(x.rig.replied_with, 46 << 2);
}

TEST(Reply, ClassOfServiceTellsWhatArrivedAndRefusesStrangers) {
  Exchange x(false);
  x.rig.traffic_class = 10 << 2 | 1;
  // DSCP1 46 is asked for; DSCP2 10, ECN 1 arrived; RP 1: the reply has 10.
  EXPECT_EQ(x.tlvs(hex("80040004"
                       "b8000000")),
            "00040004"
            "b8a50000");
  EXPECT_EQ(x.rig.replied_with, 10 << 2);
  // What the request has itself may be asked for by all.
  EXPECT_EQ(x.tlvs(hex("80040004"
                       "28000000")),
            "00040004"
            "28a40000");
  // Nothing that a sender writes into the other fields comes back: RP, DSCP2 and ECN are ours, the rest is
  // reserved.
  EXPECT_EQ(x.tlvs(hex("80040004"
                       "2bffffff")),
            "00040004"
            "28a40000");
  EXPECT_EQ(x.tlvs(hex("80040003"
                       "b80000")),
            "40040003"
            "b80000");
}

TEST(Reply, ClassOfServiceObeysASession) {
  Exchange x(true);
  x.rig.traffic_class = 10 << 2;
  auto packet = x.sender.with_flow(0, x.sender.flow());
  ASSERT_NE(x.answer(packet), "none");
  packet = x.sender.base(1);
  const std::array<std::uint8_t, 4> wish{46 << 2, 0, 0, 0};
  stamp::append_tlv(packet, stamp::TlvType::class_of_service, wish);
  stamp::append_hmac_tlv(packet, stamp::Mode::authenticated, kKey.secret);
  EXPECT_THAT(x.answer(packet), ::testing::StartsWith("00040004"
                                                      "b8a00000"));
  EXPECT_EQ(x.rig.replied_with, 46 << 2);
  // An HMAC TLV that is wrong gets nothing done.
  packet = x.sender.base(2);
  stamp::append_tlv(packet, stamp::TlvType::class_of_service, wish);
  EXPECT_EQ(x.answer(packet),
            "20040004"
            "b8000000");
  EXPECT_EQ(x.rig.replied_with, 10 << 2);
}

TEST(Reply, FollowUpTellsOfTheReplyBefore) {
  Exchange x(false);
  const auto request = hex("80070010" + std::string(32, '0'));
  EXPECT_EQ(x.tlvs(request), "00070010" + std::string(32, '0'));
  const auto first = stamp::NtpTime::from(x.rig.now.wall);
  x.rig.advance(std::chrono::seconds(1));
  std::array<std::uint8_t, 16> value{};
  put_u32(&value[4], first.seconds);
  put_u32(&value[8], first.fraction);
  value[12] = 2;
  EXPECT_EQ(x.tlvs(request), "00070010" + to_hex(ByteView(value)));
  const auto second = stamp::NtpTime::from(x.rig.now.wall);
  put_u32(&value[0], 1);
  put_u32(&value[4], second.seconds);
  EXPECT_EQ(x.tlvs(request), "00070010" + to_hex(ByteView(value)));
  // Erratum 8339: its own Length is what is validated.
  EXPECT_EQ(x.tlvs(hex("80070004"
                       "00000000")),
            "40070004"
            "00000000");
}

TEST(Reply, UnknownTlvsGetUAndTheWalkGoesOn) {
  Exchange x(false);
  EXPECT_EQ(x.tlvs(hex("80060004"
                       "01020304"
                       "80630002"
                       "0a0b"
                       "80010003"
                       "010203"
                       "00000000")),
            "80060004"
            "01020304"
            "80630002"
            "0a0b"
            "00010003"
            "010203"
            "80000000");
}

// RFC 10052 would let a sender ask for many and for larger replies, and wants it off unless somebody turns it
// on.
TEST(Reply, ControlOfReflectedPacketsIsOff) {
  const std::string many =
      "800c000c"
      "057803e8"  // replies of 1,400 octets, a thousand of them
      "00000001"
      "00000000";
  for (const bool authenticated : {false, true}) {
    Exchange x(authenticated);
    ASSERT_NE(x.answer(x.sender.named(0)), "none");
    auto packet = x.sender.base(1);
    const auto tlv = hex(many);
    packet.insert(packet.end(), tlv.begin(), tlv.end());
    if (authenticated) stamp::append_hmac_tlv(packet, stamp::Mode::authenticated, kKey.secret);
    EXPECT_EQ(x.answer(packet).substr(0, many.size()), many);  // U set, and as long as it was
    EXPECT_EQ(x.rig.core.count(Outcome::reflected), 2U);
    EXPECT_FALSE(x.rig.core.next_due());
  }
}

TEST(Reply, MalformedTlvsGetMAndTheRestIsCopied) {
  Exchange x(false);
  EXPECT_EQ(x.tlvs(hex("80010000"
                       "8005ffff"
                       "80010000")),
            "00010000"
            "4005ffff"
            "80010000");
  EXPECT_EQ(x.tlvs(hex("80010000"
                       "800102")),
            "00010000"
            "400102");
  EXPECT_EQ(x.tlvs(hex("80")), "40");
  EXPECT_EQ(x.tlvs(hex("80050001"
                       "aa"
                       "80010000")),
            "40050001"
            "aa"
            "80010000");
}

TEST(Reply, FlowControlIsOnlyForAuthenticatedSessions) {
  Exchange open(false);
  stamp::FlowTlv flow;
  flow.suppress = true;
  auto packet = open.sender.base(0);
  stamp::append_tlv(packet, stamp::TlvType::flow_control, flow.encode());
  auto expected = "80f00028" + to_hex(ByteView(flow.encode()));
  EXPECT_EQ(open.answer(packet), expected);
}

TEST(Reply, FlowControlOfAnotherShapeIsFlagged) {
  Exchange x(true);
  const auto with = [&](const Bytes& value) {
    auto packet = x.sender.base(x.sequence++);
    stamp::append_tlv(packet, stamp::TlvType::flow_control, value);
    stamp::append_hmac_tlv(packet, stamp::Mode::authenticated, kKey.secret);
    return x.answer(packet).substr(0, 8);
  };
  const auto good = x.sender.flow().encode();
  Bytes value(good.begin(), good.end());
  EXPECT_EQ(with(value), "00f00028");
  value[0] = 2;
  EXPECT_EQ(with(value), "80f00028");
  value.pop_back();
  EXPECT_EQ(with(value), "40f00027");
  auto long_hold = x.sender.flow();
  long_hold.hold_ms = 600'001;
  const auto wire = long_hold.encode();
  EXPECT_EQ(with(Bytes(wire.begin(), wire.end())), "40f00028");
}

TEST(Reply, AHoldIsAnsweredAtOnceAndSaysSo) {
  Exchange x(true);
  auto flow = x.sender.flow();
  flow.hold_ms = 5000;
  const auto reply = x.rig.send(x.sender, x.sender.with_flow(0, flow));
  ASSERT_TRUE(reply);
  const auto tlv = stamp::find_tlv(*reply, stamp::Mode::authenticated, stamp::TlvType::flow_control);
  EXPECT_EQ(stamp::FlowTlv::parse(tlv->value)->hold_ms, 0U);
}

}  // namespace
}  // namespace ue::reflector
