#include "uplink/link_history.h"

#include <gtest/gtest.h>

#include "ip.h"
#include "uplink/address_kind.h"

namespace ue::uplink {
namespace {

Link running(int index, std::uint32_t carrier_changes = 2) {
  Link link;
  link.index = index;
  link.name = "eth1";
  link.up = link.carrier = true;
  link.carrier_changes = carrier_changes;
  return link;
}

TEST(LinkHistory, TheFirstSightIsNoChange) {
  LinkHistory history;
  const auto link = running(7, 100);
  history.update(&link, ip("192.0.2.2"));
  history.update(&link, ip("192.0.2.2"));
  EXPECT_EQ(history.changes(), 0u);
  EXPECT_EQ(history.address_changes(), 0u);
}

TEST(LinkHistory, CountsWhatHappenedBetweenTwoLooks) {
  LinkHistory history;
  auto link = running(7);
  history.update(&link, std::nullopt);
  link.carrier_changes += 4;  // two flaps, and it is running again
  history.update(&link, std::nullopt);
  EXPECT_EQ(history.changes(), 4u);
  link.up = false;  // switched off, the carrier stays
  history.update(&link, std::nullopt);
  EXPECT_EQ(history.changes(), 5u);
  link.carrier = false;
  ++link.carrier_changes;
  history.update(&link, std::nullopt);
  EXPECT_EQ(history.changes(), 6u);
}

TEST(LinkHistory, AnInterfaceThatIsCreatedAnewWentAndCame) {
  LinkHistory history;
  const auto old = running(7, 40);
  const auto anew = running(9, 1);
  history.update(&old, ip("192.0.2.2"));
  history.update(&anew, ip("192.0.2.2"));
  EXPECT_EQ(history.changes(), 2u);
  history.update(nullptr, std::nullopt);
  EXPECT_EQ(history.changes(), 3u);
  history.update(nullptr, std::nullopt);
  EXPECT_EQ(history.changes(), 3u);
  history.update(&old, ip("192.0.2.2"));
  EXPECT_EQ(history.changes(), 4u);
  EXPECT_EQ(history.address_changes(), 0u) << "the same address came back";
  history.update(&old, ip("192.0.2.3"));
  EXPECT_EQ(history.address_changes(), 1u);
}

TEST(AddressKind, TellsWhoHandsItOut) {
  const std::pair<const char*, const char*> cases[] = {
      {"10.0.0.1", "private"},    {"172.31.255.255", "private"}, {"172.32.0.1", "public"},
      {"192.168.0.2", "private"}, {"100.64.0.1", "shared"},      {"100.127.255.255", "shared"},
      {"100.128.0.1", "public"},  {"169.254.1.1", "link_local"}, {"123.45.0.2", "public"},
      {"fd00::1", "private"},     {"fe80::1", "link_local"},     {"2001:db8::1", "public"},
  };
  for (const auto& [address, kind] : cases) EXPECT_EQ(address_kind(ip(address)), kind) << address;
}

}  // namespace
}  // namespace ue::uplink
