#include <gtest/gtest.h>

#include "exchange.h"

namespace ue::reflector {
namespace {

using namespace std::chrono_literals;

/// A gateway whose address is known by its query, and a clock that goes on until a reply is due.
struct Holding {
  Rig rig{Rig::keyed({kKey})};
  Sender sender{kKey, 0x1234, 77};
  std::uint32_t sequence = 0;

  explicit Holding(config::ReflectorLimits limits = {}) {
    auto policy = Rig::keyed({kKey});
    policy.limits = limits;
    rig.core.replace_policy(policy);
  }
  void validate() {
    rig.core.validate(rig.now.mono, {true, kKey.key_id, kKey.gateway_id}, sender.source.address);
  }
  Bytes asking(Nanos hold) {
    auto flow = sender.flow();
    flow.hold_ms = static_cast<std::uint32_t>(hold / 1ms);
    return sender.with_flow(sequence++, flow);
  }
  std::optional<Bytes> due() {
    std::array<std::uint8_t, kMaxDatagram> out{};
    const auto late = rig.core.take_due(rig.now, out);
    if (!late) return std::nullopt;
    EXPECT_EQ(late->request->source, sender.source) << "never to another address than it came from";
    return Bytes(late->reply.bytes.begin(), late->reply.bytes.end());
  }
  std::uint64_t count(HoldOutcome o) const { return rig.core.count(o); }
};

std::uint32_t held_ms(const Bytes& reply) {
  EXPECT_TRUE(stamp::verify_base(reply, kKey.secret));
  EXPECT_TRUE(stamp::verify_hmac_tlv(reply, stamp::Mode::authenticated, kKey.secret));
  const auto tlv = stamp::find_tlv(reply, stamp::Mode::authenticated, stamp::TlvType::flow_control);
  return stamp::FlowTlv::parse(tlv->value)->hold_ms;
}

TEST(Hold, TheReplyComesWhenAskedForAndSaysHowLongItWaited) {
  Holding h;
  h.validate();
  const auto packet = h.asking(5s);
  EXPECT_FALSE(h.rig.send(h.sender, packet));
  EXPECT_EQ(h.rig.core.count(Outcome::held), 1U);
  h.rig.advance(4990ms);
  EXPECT_FALSE(h.due());
  h.rig.advance(12ms);
  const auto reply = h.due();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->size(), packet.size()) << "no longer than the request";
  EXPECT_EQ(held_ms(*reply), 5002U);
  EXPECT_FALSE(h.due());
  EXPECT_EQ(h.count(HoldOutcome::sent), 1U);
  EXPECT_EQ(h.rig.core.holding(), 0U);
}

TEST(Hold, AnAddressThatNobodyVouchesForIsAnsweredAtOnce) {
  Holding h;
  const auto reply = h.rig.send(h.sender, h.asking(5s));
  ASSERT_TRUE(reply);
  EXPECT_EQ(held_ms(*reply), 0U);
  EXPECT_EQ(h.count(HoldOutcome::not_validated), 1U);
  h.validate();
  h.rig.advance(ValidatedSources::kValid + 1s);
  EXPECT_TRUE(h.rig.send(h.sender, h.asking(5s))) << "the proof has aged";
  h.validate();
  h.sender.source = endpoint("198.51.100.8", 41000);
  EXPECT_TRUE(h.rig.send(h.sender, h.asking(5s))) << "it was another address";
}

TEST(Hold, AReplayIsNeverHeld) {
  Holding h;
  h.validate();
  const auto packet = h.asking(5s);
  EXPECT_FALSE(h.rig.send(h.sender, packet));
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(h.rig.send(h.sender, packet));
  EXPECT_EQ(h.count(HoldOutcome::held), 1U);
  EXPECT_EQ(h.rig.core.count(Outcome::replayed), 100U);
}

TEST(Hold, AForgedPacketIsNeverHeld) {
  Holding h;
  h.validate();
  auto packet = h.asking(5s);
  packet[5] ^= 1;  // the timestamp, under the base HMAC
  EXPECT_FALSE(h.rig.send(h.sender, packet));
  packet = h.asking(5s);
  packet[stamp::base_size(stamp::Mode::authenticated) + 30] ^= 1;  // the hold itself, under the HMAC TLV
  h.rig.send(h.sender, packet);
  EXPECT_EQ(h.rig.core.holding(), 0U);
}

TEST(Hold, EveryLimitIsCountedByItsName) {
  config::ReflectorLimits limits;
  limits.max_holds_per_key = 70;
  Holding h(limits);
  h.validate();
  for (int i = 0; i < HeldReplies::kMaxPerSession; ++i) ASSERT_FALSE(h.rig.send(h.sender, h.asking(5s)));
  EXPECT_TRUE(h.rig.send(h.sender, h.asking(5s)));
  EXPECT_EQ(h.count(HoldOutcome::session_full), 1U);
  h.sender.flow_id = 78;
  h.sender.ssid = 0x1235;
  for (int i = 0; i < 6; ++i) ASSERT_FALSE(h.rig.send(h.sender, h.asking(5s)));
  EXPECT_TRUE(h.rig.send(h.sender, h.asking(5s)));
  EXPECT_EQ(h.count(HoldOutcome::key_full), 1U);
  limits.max_holds_per_key = 1000;
  limits.max_holds_per_prefix = 70;
  auto policy = Rig::keyed({kKey});
  policy.limits = limits;
  h.rig.core.replace_policy(policy);
  EXPECT_TRUE(h.rig.send(h.sender, h.asking(5s)));
  EXPECT_EQ(h.count(HoldOutcome::prefix_full), 1U);
  h.rig.advance(6s);
  int sent = 0;
  while (h.due()) ++sent;
  EXPECT_EQ(sent, 70);
  EXPECT_FALSE(h.rig.send(h.sender, h.asking(5s))) << "there is room again";
}

TEST(Hold, WithoutItsKeyNothingGoesOut) {
  Holding h;
  h.validate();
  ASSERT_FALSE(h.rig.send(h.sender, h.asking(5s)));
  h.rig.core.replace_policy(Rig::keyed({gateway_key(0xb2, 0xfeed, 0x22)}));
  h.rig.advance(6s);
  EXPECT_FALSE(h.due());
  EXPECT_EQ(h.count(HoldOutcome::dropped), 1U);
}

TEST(Hold, ARequestWithTooMuchPaddingIsAnsweredAtOnce) {
  Holding h;
  h.validate();
  auto packet = h.sender.base(0);
  auto flow = h.sender.flow();
  flow.hold_ms = 5000;
  stamp::append_tlv(packet, stamp::TlvType::flow_control, flow.encode());
  stamp::append_tlv(packet, stamp::TlvType::extra_padding, Bytes(300));
  stamp::append_hmac_tlv(packet, stamp::Mode::authenticated, kKey.secret);
  EXPECT_TRUE(h.rig.send(h.sender, packet));
  EXPECT_EQ(h.count(HoldOutcome::too_long), 1U);
}

}  // namespace
}  // namespace ue::reflector
