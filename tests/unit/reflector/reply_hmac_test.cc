#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange.h"
#include "reflector/reply.h"

namespace ue::reflector {
namespace {

TEST(Reply, TlvHmacIsMadeAnewOverTheReply) {
  Exchange x(true);
  auto packet = x.sender.base(0);
  stamp::append_location_request(packet);
  stamp::append_direct_measurement(packet, 1);
  stamp::append_hmac_tlv(packet, stamp::Mode::authenticated, kKey.secret);
  stamp::append_tlv(packet, stamp::TlvType::extra_padding, Bytes(9, 3));
  const auto reply = x.rig.send(x.sender, packet);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(stamp::verify_hmac_tlv(*reply, stamp::Mode::authenticated, kKey.secret));
  stamp::TlvReader reader(*reply, stamp::Mode::authenticated);
  std::size_t seen = 0;
  while (const auto tlv = reader.next()) {
    EXPECT_EQ(tlv->flags, 0);
    ++seen;
  }
  EXPECT_EQ(seen, 4U);
}

TEST(Reply, FailedTlvHmacSetsIOnEveryTlvAndIsNotObeyed) {
  Exchange x(true);
  ASSERT_TRUE(x.rig.send(x.sender, x.sender.named(0)));
  auto flow = x.sender.flow();
  flow.flow_id = 999;
  flow.suppress = true;
  auto packet = x.sender.with_flow(1, flow);
  packet.back() ^= 1;
  stamp::append_tlv(packet, static_cast<stamp::TlvType>(99), {});
  const auto sent_tlvs = to_hex(ByteView(packet).subspan(112));
  auto expected = sent_tlvs;
  expected.replace(0, 2, "20");             // flow control
  expected.replace((4 + 40) * 2, 2, "20");  // HMAC
  expected.replace((4 + 40 + 20) * 2, 2, "a0");
  EXPECT_EQ(x.answer(packet), expected);
  auto other = x.sender;
  other.flow_id = 999;
  EXPECT_FALSE(x.rig.report(other).known);
  EXPECT_EQ(x.rig.report(x.sender).received, 2U);
}

TEST(Reply, AuthenticatedTlvsWithoutAnHmacTlvFailTheSameWay) {
  Exchange x(true);
  auto packet = x.sender.named(0);
  ASSERT_NE(x.answer(packet), "none");
  packet = x.sender.base(1);
  stamp::append_direct_measurement(packet, 1);
  EXPECT_EQ(x.answer(packet).substr(0, 8), "2005000c");
  packet = x.sender.base(2);
  stamp::append_tlv(packet, stamp::TlvType::extra_padding, Bytes(2, 1));  // padding alone needs none
  EXPECT_EQ(x.answer(packet),
            "00010002"
            "0101");
  packet = x.sender.base(3);
  packet.push_back(0x80);
  EXPECT_EQ(x.answer(packet), "60");
}

TEST(Reply, ATamperedNameOfAnUnknownSessionIsDropped) {
  Exchange x(true);
  auto packet = x.sender.named(0);
  packet.back() ^= 1;
  EXPECT_EQ(x.answer(packet), "none");
  EXPECT_EQ(x.rig.core.count(Outcome::unknown_session), 1U);
}

TEST(Reply, UnauthenticatedHmacTlvUsesTheOnlyKey) {
  Exchange x(false);
  auto packet = x.sender.base(0);
  stamp::append_location_request(packet);
  stamp::append_hmac_tlv(packet, stamp::Mode::unauthenticated, kKey.secret);
  const auto reply = x.rig.send(x.sender, packet);
  ASSERT_TRUE(reply);
  EXPECT_TRUE(stamp::verify_hmac_tlv(*reply, stamp::Mode::unauthenticated, kKey.secret));
  packet = x.sender.base(1);
  stamp::append_hmac_tlv(packet, stamp::Mode::unauthenticated, Bytes(32, 9));
  EXPECT_EQ(x.answer(packet).substr(0, 8), "20080010");
  Exchange keyless(false, false);
  packet = keyless.sender.base(0);
  stamp::append_hmac_tlv(packet, stamp::Mode::unauthenticated, kKey.secret);
  EXPECT_EQ(keyless.answer(packet), "80" + to_hex(ByteView(packet).subspan(45)));
}

}  // namespace
}  // namespace ue::reflector
