#include "probe/size_check.h"

#include <gtest/gtest.h>

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

TEST(SizeCheck, AsleepWhileThePathDoesNotWork) {
  auto check = size_check_at_work(Family::ipv4);
  check.set_allowed(size_clock(1s), false);
  EXPECT_TRUE(size_round(check, 300s).packets.empty());
  EXPECT_EQ(check.wake_at(), Instant::max());
}

}  // namespace
}  // namespace ue::probe
