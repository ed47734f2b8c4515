#include "reflector/core.h"

#include <gtest/gtest.h>

#include <random>

#include "sender.h"

namespace ue::reflector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const config::Key kKey = gateway_key(0xa1, 0xfeed, 0x11);
const config::Key kOther = gateway_key(0xa1, 0xbeef, 0x22);

Sender keyed(std::uint64_t flow_id = 77) { return {kKey, 0x1234, flow_id}; }
Sender open_sender(std::uint64_t flow_id = 77) { return {std::nullopt, 0x1234, flow_id}; }

/// The packet ends as `outcome`, counted once and unanswered.
void expect_dropped(Rig& rig, const Bytes& packet, const Endpoint& source, Outcome outcome) {
  const auto before = rig.core.outcomes();
  EXPECT_FALSE(rig.send(packet, source)) << name(outcome);
  auto expected = before;
  ++expected[static_cast<std::size_t>(outcome)];
  EXPECT_EQ(rig.core.outcomes(), expected) << name(outcome);
}

TEST(ReflectorCore, RepliesFieldByField) {
  Rig rig(Rig::keyed({kKey}));
  rig.core.set_error_estimate(stamp::ErrorEstimate::decode(0x8a07));
  const auto sender = keyed();
  const auto request = sender.named(0);
  const auto reply = rig.send(sender, request);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->size(), request.size());
  EXPECT_TRUE(stamp::verify_base(*reply, kKey.secret));
  EXPECT_TRUE(stamp::verify_hmac_tlv(*reply, stamp::Mode::authenticated, kKey.secret));
  const auto packet = stamp::parse_reflector(*reply, stamp::Mode::authenticated);
  ASSERT_TRUE(packet);
  EXPECT_EQ(packet->sequence, 0U);
  EXPECT_EQ(packet->timestamp, stamp::NtpTime::from(rig.now.wall));
  EXPECT_EQ(packet->receive_timestamp, stamp::NtpTime::from(rig.now.wall - std::chrono::microseconds(30)));
  EXPECT_EQ(packet->error_estimate.encode(), 0x8a07);
  EXPECT_EQ(packet->ssid, 0x1234);
  EXPECT_EQ(packet->sender_sequence, 0U);
  EXPECT_EQ(packet->sender_timestamp, (stamp::NtpTime{0xee000000, 7}));
  EXPECT_EQ(packet->sender_error_estimate.encode(), 0x8205);
  EXPECT_EQ(packet->sender_ttl, 57);
  const auto tlv = stamp::find_tlv(*reply, stamp::Mode::authenticated, stamp::TlvType::flow_control);
  ASSERT_TRUE(tlv);
  EXPECT_EQ(tlv->flags, 0);
  auto expected = sender.flow();
  expected.boot_epoch = 1'789'000'000;
  expected.instance_id = 0xabcd;
  EXPECT_EQ(stamp::FlowTlv::parse(tlv->value), expected);
}

TEST(ReflectorCore, NumbersItsOwnReplies) {
  Rig rig(Rig::keyed({kKey}));
  const auto sender = keyed();
  EXPECT_EQ(rig.ask(sender, sender.named(0)), 0U);
  EXPECT_EQ(rig.ask(sender, sender.base(1)), 1U);
  EXPECT_EQ(rig.ask(sender, sender.base(5)), 2U);
  EXPECT_EQ(rig.ask(sender, sender.base(3)), 3U);  // late, still new
  const auto other = keyed(78);
  EXPECT_EQ(rig.ask(other, other.named(0)), 0U);
}

TEST(ReflectorCore, DropsWhatIsTooShortOrTooLong) {
  Rig rig(Rig::open());
  const auto from = open_sender().source;
  for (std::size_t n = 0; n < 44; ++n) {
    auto packet = open_sender().base(0);
    packet.resize(n);
    expect_dropped(rig, packet, from, Outcome::too_short);
  }
  auto authenticated = keyed().base(0);
  authenticated.resize(111);
  expect_dropped(rig, authenticated, from, Outcome::too_short);
  auto large = open_sender().base(0);
  large.resize(kMaxDatagram + 1);
  expect_dropped(rig, large, from, Outcome::oversized);
  large.resize(kMaxDatagram);
  EXPECT_EQ(rig.send(large, from)->size(), kMaxDatagram);
}

TEST(ReflectorCore, DropsTheMalformed) {
  Rig rig(Rig::open());
  auto packet = open_sender().base(0);
  packet[13] = 0;  // multiplier
  expect_dropped(rig, packet, open_sender().source, Outcome::malformed);
  expect_dropped(rig, open_sender().base(0), endpoint("198.51.100.7", 0), Outcome::malformed);
}

TEST(ReflectorCore, NeverAnswersAReply) {
  Rig open(Rig::open());
  const auto plain = open.send(open_sender(), open_sender().base(0));
  ASSERT_TRUE(plain);
  expect_dropped(open, *plain, endpoint("203.0.113.9", 862), Outcome::looped);
  Rig rig(Rig::keyed({kKey}));
  const auto signed_reply = rig.send(keyed(), keyed().named(0));
  ASSERT_TRUE(signed_reply);
  expect_dropped(rig, *signed_reply, endpoint("203.0.113.9", 862), Outcome::looped);
}

TEST(ReflectorCore, DropsWrongHmacsAndUnknownKeys) {
  Rig rig(Rig::keyed({kKey, kOther}));
  auto forged = keyed();
  forged.key->secret[0] ^= 1;
  expect_dropped(rig, forged.named(0), forged.source, Outcome::bad_hmac);
  auto stranger = keyed();
  stranger.key->gateway_id = 0xdead;
  expect_dropped(rig, stranger.named(0), stranger.source, Outcome::unknown_key);
  stranger = keyed();
  stranger.key->key_id = 0xa2;
  expect_dropped(rig, stranger.named(0), stranger.source, Outcome::unknown_key);
  const auto sender = keyed();
  ASSERT_TRUE(rig.send(sender, sender.named(0)));
  expect_dropped(rig, forged.base(1), sender.source, Outcome::bad_hmac);
  auto tampered = sender.base(1);
  tampered[3] ^= 2;
  expect_dropped(rig, tampered, sender.source, Outcome::bad_hmac);
  EXPECT_EQ(rig.report(sender).received, 1U);  // what proved nothing counts for nobody
}

TEST(ReflectorCore, UnauthenticatedOnlyWhereAllowed) {
  Rig rig(Rig::keyed({kKey}));
  expect_dropped(rig, open_sender().base(0), open_sender().source, Outcome::unauthenticated);
  auto policy = Rig::keyed({kKey});
  policy.allow_unauthenticated = true;
  rig.core.replace_policy(policy);
  EXPECT_TRUE(rig.send(open_sender(), open_sender().base(0)));
  auto forged = keyed();  // no way around the HMAC by looking unauthenticated
  forged.key->secret[0] ^= 1;
  expect_dropped(rig, forged.base(0), forged.source, Outcome::bad_hmac);
}

TEST(ReflectorCore, RefusesReplays) {
  Rig rig(Rig::keyed({kKey}));
  const auto sender = keyed();
  ASSERT_TRUE(rig.send(sender, sender.named(0)));
  ASSERT_TRUE(rig.send(sender, sender.base(300)));
  expect_dropped(rig, sender.base(300), sender.source, Outcome::replayed);
  expect_dropped(rig, sender.base(44), sender.source, Outcome::replayed);  // 256 back: too old to tell
  EXPECT_TRUE(rig.send(sender, sender.base(45)));
  // A recorded packet from elsewhere neither moves the session nor keeps it alive.
  rig.advance(minutes(9));
  expect_dropped(rig, sender.named(0), endpoint("192.0.2.66", 6666), Outcome::replayed);
  const auto report = rig.report(sender);
  EXPECT_EQ(report.endpoint, sender.source);
  EXPECT_EQ(report.received, 6U);
  EXPECT_EQ(report.refused, 3U);
  EXPECT_EQ(report.sent, 3U);
  EXPECT_EQ(report.last_ms_ago, 540'000U);
  rig.advance(minutes(1));
  rig.core.tick(rig.now.mono);
  EXPECT_EQ(rig.core.sessions(), 0U);
}

TEST(ReflectorCore, ReportsWhatArrived) {
  Rig rig(Rig::keyed({kKey}));
  auto sender = keyed();
  rig.send(sender, sender.named(10));
  rig.ttl = 55;
  sender.source.port = 42000;
  rig.send(sender, sender.base(12));
  rig.ttl = 50;
  sender.source.port = 43000;
  rig.send(sender, sender.base(11));  // late: the newest packet is still number 12
  rig.advance(seconds(2));
  const auto report = rig.report(sender);
  EXPECT_TRUE(report.known);
  EXPECT_EQ(report.received, 3U);
  EXPECT_EQ(report.highest_sequence, 12U);
  EXPECT_EQ(report.window.to_ullong(), 7U);
  EXPECT_EQ(report.endpoint->port, 42000);
  EXPECT_EQ(report.ttl, 55);
  EXPECT_EQ(report.last_ms_ago, 2000U);
  EXPECT_FALSE(rig.report(keyed(1)).known);
}

TEST(ReflectorCore, ReBindingNatDoesNotTearASession) {
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

TEST(ReflectorCore, TwoGatewaysMayShareAnSsid) {
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

TEST(ReflectorCore, PlainPacketsBelongToTheNewestSessionOfTheirSsid) {
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

TEST(ReflectorCore, GatewaysOfAMasterNeedNoLineOfTheirOwn) {
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

TEST(ReflectorCore, AfterARestartPlainPacketsWaitForTheirName) {
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

TEST(ReflectorCore, ForeignSendersNeedNoName) {
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

TEST(ReflectorCore, UnauthenticatedSessionsAreToldApartByTheirSource) {
  Rig rig(Rig::open());
  auto a = open_sender();
  auto b = open_sender();
  b.source = endpoint("198.51.100.8", 41000);
  EXPECT_EQ(rig.ask(a, a.base(0)), 0U);
  EXPECT_EQ(rig.ask(b, b.base(0)), 0U);
  EXPECT_EQ(rig.ask(a, a.base(1)), 1U);
}

TEST(ReflectorCore, NamingPaddingNamesAnUnauthenticatedSession) {
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

TEST(ReflectorCore, AForeignSenderMayStartAnewFromTheSamePort) {
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

TEST(ReflectorCore, SuppressedPacketsAreCountedOnly) {
  Rig rig(Rig::keyed({kKey}));
  const auto sender = keyed();
  auto flow = sender.flow();
  flow.suppress = true;
  expect_dropped(rig, sender.with_flow(0, flow), sender.source, Outcome::suppressed);
  EXPECT_EQ(rig.report(sender).received, 1U);
  EXPECT_EQ(rig.report(sender).refused, 0U);
  EXPECT_EQ(rig.report(sender).sent, 0U);
  EXPECT_EQ(rig.ask(sender, sender.base(1)), 0U);
}

TEST(ReflectorCore, RateIsLimitedPerSource) {
  auto policy = Rig::keyed({kKey});
  policy.limits.packets_per_second_per_source = 5;
  Rig rig(policy);
  const auto sender = keyed();
  ASSERT_TRUE(rig.send(sender, sender.named(0)));
  for (std::uint32_t i = 1; i < 5; ++i) ASSERT_TRUE(rig.send(sender, sender.base(i)));
  expect_dropped(rig, sender.base(5), sender.source, Outcome::rate_limited);
  const auto fresh = keyed(78);
  expect_dropped(rig, fresh.named(0), fresh.source, Outcome::rate_limited);
  EXPECT_EQ(rig.core.sessions(), 1U);
  const auto report = rig.report(sender);  // it did arrive
  EXPECT_EQ(report.received, 6U);
  EXPECT_EQ(report.refused, 1U);
  EXPECT_EQ(report.highest_sequence, 5U);
  EXPECT_TRUE(rig.send(sender.base(6), endpoint("198.51.100.8", 1)));
  rig.advance(seconds(1));
  EXPECT_TRUE(rig.send(sender, sender.base(7)));
}

TEST(ReflectorCore, SessionsAreBounded) {
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

TEST(ReflectorCore, ANewPolicyKeepsSessionsAndRetiresKeys) {
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

// Whatever arrives, a reply is exactly as long as the request, and nothing is read or written outside (ASan).
TEST(ReflectorCore, RandomInputIsNeverAmplified) {
  auto policy = Rig::keyed({kKey});
  policy.allow_unauthenticated = true;
  policy.limits.packets_per_second_per_source = 1'000'000;
  Rig rig(policy);
  std::mt19937 engine(862);
  const auto random = [&] { return static_cast<std::uint32_t>(engine()); };
  std::uint64_t answered = 0;
  for (int round = 0; round < 100'000; ++round) {
    rig.advance(std::chrono::milliseconds(1));
    Bytes packet(random() % 200);
    for (auto& octet : packet) octet = static_cast<std::uint8_t>(random());
    const auto kind = random() % 4;
    if (kind != 0) {  // a sound base packet with noise after it
      const auto sender = kind == 1 ? keyed(random() % 64) : open_sender(random() % 64);
      auto sound = random() % 2 ? sender.named(random() % 1000) : sender.base(random() % 1000);
      for (std::size_t i = 0; i < packet.size() % 90; ++i)
        sound.push_back(packet[i] & (random() % 2 ? 0xff : 0x0f));
      if (random() % 2) sound[sound.size() - 1 - random() % 20] ^= static_cast<std::uint8_t>(random());
      packet = sound;
    }
    const auto reply = rig.send(
        packet, {IpAddress::v4(0xc6336400U | (random() & 255)), static_cast<std::uint16_t>(random())});
    if (!reply) continue;
    ++answered;
    ASSERT_EQ(reply->size(), packet.size());
    ASSERT_LE(rig.core.sessions(), 2'000U);
  }
  std::uint64_t total = 0;
  for (const auto n : rig.core.outcomes()) total += n;
  EXPECT_EQ(total, 100'000U);
  EXPECT_EQ(rig.core.count(Outcome::reflected), answered);
  EXPECT_GT(answered, 1'000U);
  EXPECT_LT(answered, 99'000U);
}

}  // namespace
}  // namespace ue::reflector
