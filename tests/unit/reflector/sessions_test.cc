#include "reflector/core.h"

#include <gtest/gtest.h>

#include "sender.h"

namespace ue::reflector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(Sessions, ReBindingNatDoesNotTearASession) {
  Rig rig(Rig::keyed({kKey, kOther}));
  auto sender = keyed();
  EXPECT_EQ(rig.ask(sender, sender.named(0)), 0U);
  for (std::uint32_t i = 1; i <= 20; ++i) {
    sender.source.port = static_cast<std::uint16_t>(50000 + i);
    EXPECT_EQ(rig.ask(sender, sender.base(i)), i);
    EXPECT_EQ(rig.report(sender).endpoint, sender.source);
  }
  EXPECT_EQ(rig.core.sessions(), 1U);
}

TEST(Sessions, TwoGatewaysMayShareAnSsid) {
  Rig rig(Rig::keyed({kKey, kOther}));
  Sender a{kKey, 9, 1, endpoint("192.0.2.1", 1000)};
  Sender b{kOther, 9, 1, endpoint("192.0.2.2", 1000)};
  EXPECT_EQ(rig.ask(a, a.named(0)), 0U);
  EXPECT_EQ(rig.ask(b, b.named(0)), 0U);
  std::swap(a.source, b.source);  // even from each other's address
  EXPECT_EQ(rig.ask(a, a.base(1)), 1U);
  EXPECT_EQ(rig.ask(b, b.base(1)), 1U);
  EXPECT_EQ(rig.ask(b, b.base(2)), 2U);
  EXPECT_EQ(rig.report(a).received, 2U);
  EXPECT_EQ(rig.report(b).received, 3U);
}

TEST(Sessions, PlainPacketsBelongToTheNewestSessionOfTheirSsid) {
  Rig rig(Rig::keyed({kKey}));
  auto old_flow = keyed(1);
  auto new_flow = keyed(2);
  new_flow.source.port = 42000;
  rig.send(old_flow, old_flow.named(0));
  rig.send(new_flow, new_flow.named(0));
  rig.send(new_flow.base(1), endpoint("192.0.2.99", 1));
  EXPECT_EQ(rig.report(new_flow).received, 2U);
  rig.send(old_flow, old_flow.base(1));  // its own tuple is better evidence
  EXPECT_EQ(rig.report(old_flow).received, 2U);
}

TEST(Sessions, GatewaysOfAMasterNeedNoLineOfTheirOwn) {
  const auto master = master_key(0xb0, 0x77);
  Rig rig(Rig::keyed({master}));
  auto derived = gateway_key(0xb0, 42, 0);
  derived.secret = config::derive_gateway_secret(master, 42);
  const Sender sender{derived, 3, 5};
  EXPECT_EQ(rig.ask(sender, sender.named(0)), 0U);
  EXPECT_EQ(rig.core.keys().cached(), 1U);
  EXPECT_EQ(rig.ask(sender, sender.base(1)), 1U);
  auto thief = sender;
  thief.key->gateway_id = 43;  // a gateway's secret is good for no other
  expect_dropped(rig, thief.named(0), thief.source, Outcome::bad_hmac);
  EXPECT_EQ(rig.core.keys().cached(), 1U);
}

TEST(Sessions, AfterARestartPlainPacketsWaitForTheirName) {
  Rig many(Rig::keyed({kKey, kOther}));
  expect_dropped(many, keyed().base(40), keyed().source, Outcome::unknown_session);
  Rig rig(Rig::keyed({kKey}));
  const auto sender = keyed();
  expect_dropped(rig, sender.base(40), sender.source, Outcome::unknown_session);
  expect_dropped(rig, sender.base(41), sender.source, Outcome::unknown_session);
  EXPECT_EQ(rig.ask(sender, sender.named(42)), 0U);
  EXPECT_EQ(rig.ask(sender, sender.base(43)), 1U);
  EXPECT_EQ(rig.report(sender).received, 2U);
}

TEST(Sessions, ForeignSendersNeedNoName) {
  Rig rig(Rig::keyed({kKey}));
  const auto sender = keyed();
  EXPECT_EQ(rig.ask(sender, sender.base(0)), 0U);  // beginning at 0 is proof enough
  EXPECT_EQ(rig.ask(sender, sender.base(1)), 1U);
  auto second = sender;
  second.source.port = 41001;
  EXPECT_EQ(rig.ask(second, second.base(0)), 0U);
  auto unseen = sender;  // its beginning was lost, or we were restarted
  unseen.source.port = 41002;
  for (std::uint32_t i = 1; i < ReflectorCore::kForeignProof; ++i) {
    expect_dropped(rig, unseen.base(100 + i), unseen.source, Outcome::unknown_session);
  }
  EXPECT_EQ(rig.ask(unseen, unseen.base(200)), 0U);
}

TEST(Sessions, UnauthenticatedSessionsAreToldApartByTheirSource) {
  Rig rig(Rig::open());
  auto a = open_sender();
  auto b = open_sender();
  b.source = endpoint("198.51.100.8", 41000);
  EXPECT_EQ(rig.ask(a, a.base(0)), 0U);
  EXPECT_EQ(rig.ask(b, b.base(0)), 0U);
  EXPECT_EQ(rig.ask(a, a.base(1)), 1U);
}

TEST(Sessions, NamingPaddingNamesAnUnauthenticatedSession) {
  Rig rig(Rig::open());
  auto sender = open_sender(0x123456789);
  const auto request = sender.named(0);
  const auto reply = rig.send(sender, request);
  ASSERT_TRUE(reply);
  const auto padding = stamp::find_tlv(*reply, stamp::Mode::unauthenticated, stamp::TlvType::extra_padding);
  EXPECT_EQ(padding->flags, 0);
  EXPECT_EQ(stamp::parse_naming_padding(padding->value), 0x123456789U);
  EXPECT_EQ(rig.ask(sender, sender.base(1)), 1U);
  sender.source.port = 50000;  // re-bound: the name, not the SSID, finds the session
  expect_dropped(rig, sender.base(2), sender.source, Outcome::unknown_session);
  EXPECT_EQ(rig.ask(sender, sender.named(3)), 2U);
  EXPECT_EQ(rig.report(sender).received, 3U);
}

TEST(Sessions, AForeignSenderMayStartAnewFromTheSamePort) {
  Rig rig(Rig::open());
  const auto sender = open_sender();
  for (std::uint32_t i = 0; i < 4; ++i) rig.send(sender, sender.base(i));
  expect_dropped(rig, sender.base(0), sender.source, Outcome::replayed);
  rig.advance(ReflectorCore::kForeignRestart);
  EXPECT_EQ(rig.ask(sender, sender.base(1)), 0U);
  EXPECT_EQ(rig.ask(sender, sender.base(2)), 1U);
  Rig closed(Rig::keyed({kKey}));
  const auto signer = keyed();
  EXPECT_TRUE(closed.send(signer, signer.base(0)));
  closed.advance(seconds(60));
  expect_dropped(closed, signer.base(0), signer.source, Outcome::replayed);  // signed packets can be recorded
}

TEST(Sessions, SessionsAreBounded) {
  auto policy = Rig::keyed({kKey, kOther});
  policy.allow_unauthenticated = true;
  policy.limits.max_sessions = 4;
  policy.limits.max_sessions_per_key = 2;
  Rig rig(policy);
  for (std::uint64_t f = 1; f <= 2; ++f) EXPECT_TRUE(rig.send(keyed(f), keyed(f).named(0)));
  expect_dropped(rig, keyed(3).named(0), keyed().source, Outcome::key_table_full);
  for (std::uint64_t f = 1; f <= 2; ++f) EXPECT_TRUE(rig.send(open_sender(f), open_sender(f).named(0)));
  expect_dropped(rig, open_sender(3).named(0), keyed().source, Outcome::table_full);
  const Sender other{kOther, 1, 1};
  expect_dropped(rig, other.named(0), other.source, Outcome::table_full);
  EXPECT_TRUE(rig.send(keyed(1), keyed(1).base(1)));  // live sessions go on
  rig.advance(minutes(10));
  EXPECT_TRUE(rig.send(other, other.named(0)));
  EXPECT_EQ(rig.core.sessions(), 1U);
  EXPECT_EQ(rig.core.sessions_started(), 5U);
}

TEST(Sessions, ANewPolicyKeepsSessionsAndRetiresKeys) {
  Rig rig(Rig::keyed({kKey, kOther}));
  const auto sender = keyed();
  const Sender other{kOther, 9, 1};
  rig.send(sender, sender.named(0));
  rig.send(other, other.named(0));
  rig.core.replace_policy(Rig::keyed({kKey}));
  EXPECT_EQ(rig.ask(sender, sender.base(1)), 1U);
  expect_dropped(rig, other.base(1), other.source, Outcome::bad_hmac);
  expect_dropped(rig, other.named(2), other.source, Outcome::unknown_key);
}

}  // namespace
}  // namespace ue::reflector
