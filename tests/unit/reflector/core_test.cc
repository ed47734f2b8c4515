#include "reflector/core.h"

#include <gtest/gtest.h>

#include <random>

#include "sender.h"

namespace ue::reflector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

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
