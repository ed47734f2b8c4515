#include <gtest/gtest.h>

#include "reflector/key_table.h"
#include "reflector/rate_limiter.h"
#include "reflector/sequence_window.h"
#include "reflector/session_table.h"
#include "sender.h"

namespace ue::reflector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using Arrival = SequenceWindow::Arrival;

TEST(SequenceWindow, TellsNewLateDuplicateAndOld) {
  SequenceWindow window;
  EXPECT_TRUE(window.empty());
  EXPECT_EQ(window.record(300), Arrival::newest);
  EXPECT_EQ(window.record(300), Arrival::duplicate);
  EXPECT_EQ(window.record(302), Arrival::newest);
  EXPECT_EQ(window.record(301), Arrival::late);
  EXPECT_EQ(window.record(301), Arrival::duplicate);
  EXPECT_EQ(window.record(47), Arrival::late);  // 302 - 255: the window's last place
  EXPECT_EQ(window.record(46), Arrival::too_old);
  EXPECT_EQ(window.highest(), 302U);
  EXPECT_EQ(window.seen().count(), 4U);
  EXPECT_TRUE(window.seen()[0] && window.seen()[1] && window.seen()[2] && window.seen()[255]);
}

TEST(SequenceWindow, ALeapForgetsWhatIsOutside) {
  SequenceWindow window;
  window.record(0);
  window.record(256);
  EXPECT_EQ(window.seen().count(), 1U);
  EXPECT_EQ(window.record(0), Arrival::too_old);
  EXPECT_EQ(window.record(0xffffffff), Arrival::newest);
  EXPECT_EQ(window.record(0), Arrival::too_old);  // no wrap
}

TEST(RateLimiter, SpendsABurstAndRefills) {
  RateLimiter limiter(10, 3);
  const auto a = *IpAddress::parse("192.0.2.1");
  Instant t(seconds(100));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.allow(t, a));
  EXPECT_FALSE(limiter.allow(t, a));
  EXPECT_TRUE(limiter.allow(t, *IpAddress::parse("192.0.2.2")));
  EXPECT_FALSE(limiter.allow(t + std::chrono::milliseconds(99), a));
  EXPECT_TRUE(limiter.allow(t + std::chrono::milliseconds(101), a));
  EXPECT_FALSE(limiter.allow(t + std::chrono::milliseconds(101), a));
}

TEST(RateLimiter, OneSubscribersIpv6AddressesShareABucket) {
  RateLimiter limiter(1, 1);
  const Instant t(seconds(1));
  EXPECT_TRUE(limiter.allow(t, *IpAddress::parse("2001:db8:0:1100::1")));
  EXPECT_FALSE(limiter.allow(t, *IpAddress::parse("2001:db8:0:11ff:ffff::2")));
  EXPECT_TRUE(limiter.allow(t, *IpAddress::parse("2001:db8:0:1200::1")));
}

TEST(RateLimiter, ACrowdNeverFreesABusySource) {
  RateLimiter limiter(1, 4, 4);  // one set of four
  const Instant t(seconds(1));
  const auto busy = *IpAddress::parse("192.0.2.1");
  while (limiter.allow(t, busy)) {
  }
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_TRUE(limiter.allow(t, IpAddress::v4(0x0a000000 + i)));
  EXPECT_FALSE(limiter.allow(t, busy));
}

TEST(KeyTable, GatewayLineBeatsMasterAndOthersAreDerived) {
  const auto own = gateway_key(1, 5, 0x11);
  const auto master = master_key(1, 0x22);
  KeyTable keys({own, master, gateway_key(2, 6, 0x33)});
  EXPECT_EQ(keys.find(1, 5), own.secret);
  EXPECT_EQ(keys.find(1, 99), config::derive_gateway_secret(master, 99));
  EXPECT_NE(keys.find(1, 99), keys.find(1, 98));
  EXPECT_FALSE(keys.find(2, 99));
  EXPECT_FALSE(keys.find(3, 5));
  EXPECT_EQ(keys.sole(), nullptr);
}

TEST(KeyTable, CacheIsBoundedAndHoldsOnlyTheConfirmed) {
  const auto master = master_key(1, 0x22);
  KeyTable keys({master, gateway_key(1, 5, 0x11)});
  for (std::uint64_t g = 100; g < 200; ++g) (void)keys.find(1, g);
  EXPECT_EQ(keys.cached(), 0U);
  keys.confirm(1, 5, gateway_key(1, 5, 0x11).secret);
  EXPECT_EQ(keys.cached(), 0U);
  for (std::uint64_t g = 0; g < KeyTable::kMaxCached + 10; ++g) keys.confirm(1, g + 1000, {});
  EXPECT_LE(keys.cached(), KeyTable::kMaxCached);
  EXPECT_GT(keys.cached(), 0U);
  ASSERT_NE(keys.sole(), nullptr);
  EXPECT_EQ(keys.sole()->gateway_id, 5U);
}

struct Table {
  SessionTable table{std::make_shared<SharedCounts>()};
  Instant t{seconds(1000)};
  Table(std::uint32_t max, std::uint32_t per_owner) { table.set_limits(max, per_owner); }
  Session* add(const Owner& owner, std::uint16_t ssid, std::uint64_t flow) {
    return table.create({owner, ssid, flow, {}}, t).session;
  }
};
constexpr Owner kA{true, 1, 1};
constexpr Owner kB{true, 1, 2};

TEST(SessionTable, LooksUpByEveryName) {
  Table s(10, 10);
  auto* first = s.add(kA, 7, 100);
  auto* second = s.add(kA, 7, 101);
  auto* other = s.add(kB, 7, 100);
  EXPECT_EQ(s.table.find({kA, 7, 100, {}}), first);
  EXPECT_EQ(s.table.find({kA, 8, 100, {}}), nullptr);
  EXPECT_EQ(s.table.newest(kA, 7), second);
  EXPECT_EQ(s.table.find_flow(kB, 100), other);
  EXPECT_EQ(s.table.find_flow({}, 100), nullptr);
  std::array<Owner, 4> owners{};
  ASSERT_EQ(s.table.owners(7, owners), 2U);
  EXPECT_EQ(owners[0], kB);
  EXPECT_EQ(owners[1], kA);
  EXPECT_EQ(s.table.owners(7, std::span(owners).first(1)), 1U);
  EXPECT_EQ(s.table.owners(8, owners), 0U);
}

TEST(SessionTable, TupleFollowsTheSessionThatUsedItLast) {
  Table s(10, 10);
  auto* first = s.add(kA, 7, 100);
  auto* second = s.add(kA, 7, 101);
  const auto here = endpoint("192.0.2.1", 1000);
  const auto there = endpoint("192.0.2.1", 2000);
  s.table.record_endpoint(*first, here);
  EXPECT_EQ(s.table.at_tuple(true, here, 7), first);
  EXPECT_EQ(s.table.at_tuple(false, here, 7), nullptr);
  EXPECT_EQ(s.table.at_tuple(true, here, 8), nullptr);
  s.table.record_endpoint(*first, there);
  EXPECT_EQ(s.table.at_tuple(true, here, 7), nullptr);
  s.table.record_endpoint(*second, there);
  EXPECT_EQ(s.table.at_tuple(true, there, 7), second);
  s.table.record_endpoint(*first, here);  // first must not tear second's entry
  EXPECT_EQ(s.table.at_tuple(true, there, 7), second);
}

TEST(SessionTable, OnlyIdleSessionsMakeRoom) {
  Table s(2, 2);
  auto* idle = s.add(kA, 1, 1);
  s.table.record_endpoint(*idle, endpoint("192.0.2.1", 1));
  s.t += minutes(9);
  auto* live = s.add(kB, 1, 1);
  EXPECT_EQ(s.table.create({kB, 1, 3, {}}, s.t).refusal, SessionTable::Refusal::table_full);
  s.t += minutes(1);
  EXPECT_NE(s.add(kB, 1, 3), nullptr);
  EXPECT_EQ(s.table.size(), 2U);
  EXPECT_EQ(s.table.find({kA, 1, 1, {}}), nullptr);
  EXPECT_EQ(s.table.find_flow(kA, 1), nullptr);
  EXPECT_EQ(s.table.at_tuple(true, endpoint("192.0.2.1", 1), 1), nullptr);
  EXPECT_EQ(s.table.newest(kA, 1), nullptr);
  EXPECT_EQ(s.table.find({kB, 1, 1, {}}), live);
}

TEST(SessionTable, TouchingKeepsASession) {
  Table s(2, 2);
  auto* a = s.add(kA, 1, 1);
  s.add(kA, 1, 2);
  s.t += minutes(9);
  s.table.touch(*a, s.t);
  s.table.expire(s.t + minutes(2));
  EXPECT_EQ(s.table.size(), 1U);
  EXPECT_EQ(s.table.newest(kA, 1), a);
}

TEST(SessionTable, OneOwnerCannotTakeTheWholeTable) {
  Table s(10, 2);
  s.add(kA, 1, 1);
  s.add(kA, 2, 2);
  EXPECT_EQ(s.table.create({kA, 3, 3, {}}, s.t).refusal, SessionTable::Refusal::owner_full);
  EXPECT_NE(s.add(kB, 3, 3), nullptr);
  s.table.expire(s.t + minutes(10));
  EXPECT_EQ(s.table.size(), 0U);
  EXPECT_NE(s.add(kA, 3, 3), nullptr);
}

}  // namespace
}  // namespace ue::reflector
