#include "probe/size_check.h"

#include <gtest/gtest.h>

#include "stamp/packet.h"
#include "stamp/tlv.h"

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

Now size_clock(Nanos t) { return {Instant{} + 1h + t, WallTime{} + std::chrono::hours(500'000) + t, 1h + t}; }

struct SizeRound {
  FlowHandle flow = 0;
  bool dont_fragment = false;
  std::vector<Bytes> packets;
};

SizeRound size_round(SizeCheck& check, Nanos at) {
  SizeRound r;
  check.advance(size_clock(at), {});
  for (const auto& a : check.take_actions()) {
    if (const auto* o = std::get_if<OpenFlow>(&a)) r.flow = o->flow, r.dont_fragment = o->dont_fragment;
    if (const auto* s = std::get_if<SendProbe>(&a)) r.packets.push_back(s->packet);
  }
  return r;
}

SizeCheck size_check_at_work(Family family, std::optional<Identity> identity = std::nullopt) {
  SizeCheck check({1min, identity}, [n = 0ULL]() mutable { return ++n * 0x9e3779b97f4a7c15; });
  check.restart(size_clock(0s), family);
  check.set_allowed(size_clock(0s), true);
  return check;
}

TEST(SizeCheck, ALargeProbeFillsATunnelsPacketAndMayNotBeFragmented) {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    for (const bool keyed : {false, true}) {
      auto check = size_check_at_work(family, keyed ? std::optional(Identity{1, 2, {}}) : std::nullopt);
      const auto r = size_round(check, 10s);
      EXPECT_TRUE(SizeCheck::owns(r.flow));
      EXPECT_TRUE(r.dont_fragment);
      ASSERT_EQ(r.packets.size(), 2U);
      EXPECT_LT(r.packets[0].size(), 250U);
      EXPECT_EQ(r.packets[1].size(), SizeCheck::kTunnelSize - (family == Family::ipv4 ? 28 : 48));
      if (keyed) {
        EXPECT_TRUE(stamp::verify_hmac_tlv(r.packets[1], stamp::Mode::authenticated, Identity{}.secret));
      }
    }
  }
}

TEST(SizeCheck, ARoutersWordIsTakenWhereItCanBeTrue) {
  auto check = size_check_at_work(Family::ipv4);
  for (const std::uint32_t lie : {67U, 575U, 1492U, 9000U}) {
    const auto r = size_round(check, 10s);
    check.on_too_big(size_clock(10s), r.flow, lie);
    EXPECT_EQ(check.size(), SizeCheck::kTunnelSize) << lie;
    check.set_allowed(size_clock(10s), false);
    check.restart(size_clock(10s), Family::ipv4);
    check.set_allowed(size_clock(0s), true);
  }
  auto r = size_round(check, 20s);
  check.on_too_big(size_clock(20s), r.flow + 1, 1400);
  EXPECT_EQ(check.size(), SizeCheck::kTunnelSize);  // about another flow
  check.on_too_big(size_clock(20s), r.flow, 1454);
  EXPECT_EQ(check.size(), 1454U);
  r = size_round(check, 22s);
  ASSERT_EQ(r.packets.size(), 2U);
  EXPECT_EQ(r.packets[1].size(), 1454U - 28U);
  check.on_too_big(size_clock(22s), r.flow, 0);  // an old router, which does not say of how many octets
  EXPECT_EQ(check.size(), 1440U);
}

TEST(SizeCheck, SilenceOfBothSaysNothingOfTheSize) {
  auto check = size_check_at_work(Family::ipv4);
  for (auto t = 10s; t < 3600s; t += 1s) (void)size_round(check, t);
  EXPECT_FALSE(check.passes());
}

/// As a stateless reflector would, the one probe of the round or the other.
void size_answer(SizeCheck& check, const SizeRound& round, std::size_t which, Nanos at) {
  const auto request = stamp::parse_sender(round.packets.at(which), stamp::Mode::unauthenticated);
  ASSERT_TRUE(request);
  stamp::ReflectorPacket reply;
  reply.sequence = reply.sender_sequence = request->sequence;
  reply.error_estimate = reply.sender_error_estimate = request->error_estimate;
  reply.ssid = request->ssid;
  Bytes out(stamp::base_size(stamp::Mode::unauthenticated));
  stamp::encode(reply, stamp::Mode::unauthenticated, out);
  check.on_datagram(size_clock(at), round.flow, out, true);
}

/// The full size has passed once, and the next large probe, which went alone, was lost. When that was known.
Nanos miss_one(SizeCheck& check) {
  const auto first = size_round(check, 10s);
  size_answer(check, first, 1, 10s);
  EXPECT_EQ(check.passes(), true);
  EXPECT_EQ(size_round(check, 80s).packets.size(), 1U);
  (void)size_round(check, 81s);
  EXPECT_EQ(check.wake_at(), size_clock(84s).mono);
  return 81s;
}

/// Begins a round as soon as one is due, and lets it end without an answer. When that is, and the next one is
/// due after how long.
Nanos void_round(SizeCheck& check, Nanos& at) {
  at = check.wake_at() - size_clock(0s).mono;
  EXPECT_EQ(size_round(check, at).packets.size(), 2U);
  at += 1s;
  (void)size_round(check, at);
  return check.wake_at() - size_clock(at).mono;
}

TEST(SizeCheck, AMissedProbeIsAskedAgainSoonAlsoWhereItsControlIsLost) {
  auto check = size_check_at_work(Family::ipv4);
  auto at = miss_one(check);
  EXPECT_EQ(void_round(check, at), Nanos(3s));
  EXPECT_EQ(void_round(check, at), Nanos(3s));
  const auto r = size_round(check, at + 3s);
  ASSERT_EQ(r.packets.size(), 2U);
  size_answer(check, r, 1, at + 3s);
  EXPECT_GE(check.wake_at(), size_clock(at + 60s).mono);
  EXPECT_EQ(size_round(check, at + 80s).packets.size(), 1U) << "nothing is in doubt any more";
}

TEST(SizeCheck, NobodyIsHurriedForEverWhereNothingComesBack) {
  auto check = size_check_at_work(Family::ipv4);
  auto at = miss_one(check);
  int quick = 0;
  while (void_round(check, at) == Nanos(3s)) ASSERT_LT(++quick, 20);
  EXPECT_GE(quick, 5);
  for (int i = 0; i < 10; ++i) EXPECT_GE(void_round(check, at), Nanos(60s)) << i;
  // A control that came back makes it worth while again.
  at = check.wake_at() - size_clock(0s).mono;
  const auto r = size_round(check, at);
  size_answer(check, r, 0, at);
  (void)size_round(check, at + 1s);
  EXPECT_EQ(void_round(check, at), Nanos(3s));
}

TEST(SizeCheck, WhereLargeOnesVanishAVoidRoundIsNoHurry) {
  auto check = size_check_at_work(Family::ipv4);
  auto at = miss_one(check);
  while (check.passes() == true) {
    at = check.wake_at() - size_clock(0s).mono;
    ASSERT_LT(at, 300s);
    size_answer(check, size_round(check, at), 0, at);
    (void)size_round(check, at + 1s);
  }
  EXPECT_EQ(check.passes(), false);
  EXPECT_GE(void_round(check, at), Nanos(60s));
}

TEST(SizeCheck, AnotherNetworkInheritsNoDoubt) {
  auto check = size_check_at_work(Family::ipv4);
  auto at = miss_one(check);
  check.restart(size_clock(at), Family::ipv4);
  EXPECT_GE(void_round(check, at), Nanos(60s));
}

TEST(SizeCheck, AsleepWhileThePathDoesNotWork) {
  auto check = size_check_at_work(Family::ipv4);
  check.set_allowed(size_clock(1s), false);
  EXPECT_TRUE(size_round(check, 300s).packets.empty());
  EXPECT_EQ(check.wake_at(), Instant::max());
}

}  // namespace
}  // namespace ue::probe
