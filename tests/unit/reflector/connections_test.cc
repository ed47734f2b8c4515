#include "reflector/connections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ue::reflector {
namespace {

IpAddress from(const char* text) { return *IpAddress::parse(text); }

struct Room {
  Connections all;
  std::vector<int> ended;
  std::vector<std::unique_ptr<Connections::Place>> places;

  explicit Room(std::uint32_t limit) { all.limit = limit; }
  void enter(const char* source) {
    const int number = static_cast<int>(places.size());
    places.push_back(all.enter(from(source)));
    places.back()->on_loss([this, number] { ended.push_back(number); });
  }
};

TEST(Connections, WhoTakesManyPlacesLosesHisOwn) {
  Room room(4);
  for (const char* source : {"192.0.2.9", "198.51.100.1", "198.51.100.1", "198.51.100.1"}) room.enter(source);
  EXPECT_TRUE(room.ended.empty());
  for (int i = 0; i < 100; ++i) room.enter("198.51.100.1");
  EXPECT_EQ(room.ended.size(), 100U);
  EXPECT_EQ(room.ended.front(), 1);
  EXPECT_FALSE(room.places[0]->lost());
  EXPECT_EQ(room.all.open(), 4U);
}

TEST(Connections, AmongEqualsTheOldestGoes) {
  Room room(2);
  for (const char* source : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"}) room.enter(source);
  EXPECT_EQ(room.ended, (std::vector<int>{0, 1}));
}

TEST(Connections, OneSubscriberOfIpv6IsOneSource) {
  Room room(3);
  for (const char* source : {"2001:db8:0:1::1", "2001:db8:0:102::1", "2001:db8:0:103::2", "2001:db8:0:2::1"})
    room.enter(source);
  EXPECT_EQ(room.ended, std::vector<int>{0});  // ...:1 and ...:2 share a /56, ...:102 and ...:103 another
}

TEST(Connections, APlaceGivenBackIsFree) {
  Room room(2);
  room.enter("192.0.2.1");
  room.enter("192.0.2.1");
  room.places[0].reset();
  EXPECT_EQ(room.all.open(), 1U);
  room.enter("192.0.2.2");
  EXPECT_TRUE(room.ended.empty());
  room.enter("192.0.2.3");
  EXPECT_EQ(room.ended, std::vector<int>{1});
  room.places[1].reset();  // lost already: not given back twice
  EXPECT_EQ(room.all.open(), 2U);
}

TEST(Connections, ALossBeforeAnybodyListensIsTold) {
  Connections all;
  all.limit = 1;
  const auto first = all.enter(from("192.0.2.1"));
  const auto second = all.enter(from("192.0.2.2"));
  bool told = false;
  first->on_loss([&] { told = true; });
  EXPECT_TRUE(told);
  EXPECT_TRUE(first->lost());
  EXPECT_FALSE(second->lost());
}

}  // namespace
}  // namespace ue::reflector
