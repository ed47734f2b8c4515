#include "probe/mapping_watch.h"

#include <gtest/gtest.h>

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

/// One flow that sends, each probe seen at once.
struct Watched {
  MappingWatch watch;
  Instant now{1000s};
  std::uint32_t sequence = 0;

  void probe(Nanos after, std::optional<std::uint16_t> port, const char* address = "198.51.100.1") {
    now += after;
    watch.sent(1, now);
    if (port) watch.seen(1, sequence, {*IpAddress::parse(address), *port});
    ++sequence;
  }
};

TEST(MappingWatch, AFlowThatStaysWhereItIsChangesNothing) {
  Watched w;
  for (int i = 0; i < 10; ++i) w.probe(30s, 40000);
  EXPECT_EQ(w.watch.port_changes(), 0U);
  EXPECT_EQ(w.watch.address_changes(), 0U);
  EXPECT_EQ(w.watch.endpoint()->to_string(), "198.51.100.1:40000");
}

TEST(MappingWatch, AfterASilenceTheMappingWasForgotten) {
  Watched w;
  w.probe(1s, 40000);
  w.probe(10s, 40001);
  EXPECT_EQ(w.watch.port_changes(PortChange::idle), 1U);
  EXPECT_EQ(w.watch.port_changes(), 1U);
}

TEST(MappingWatch, TheSilenceMayLieAnywhereSinceTheLastSighting) {
  Watched w;
  w.probe(1s, 40000);
  w.probe(10s, {});
  w.probe(1s, {});
  w.probe(1s, 40001);
  w.probe(1s, 40002);  // and this one came after none
  EXPECT_EQ(w.watch.port_changes(PortChange::idle), 1U);
  EXPECT_EQ(w.watch.port_changes(PortChange::active), 1U);
}

TEST(MappingWatch, OncePerThirtyProbesIsNotEveryPacket) {
  Watched w;
  for (std::uint16_t port = 40000; port < 40010; ++port) {
    w.probe(1s, port);
    for (int i = 0; i < 29; ++i) w.probe(1s, {});
  }
  EXPECT_EQ(w.watch.port_changes(PortChange::active), 9U);
  EXPECT_EQ(w.watch.port_changes(), 9U);
}

TEST(MappingWatch, PacketsThatAllDifferAreEveryPacketFromTheThirdOn) {
  Watched w;
  for (std::uint16_t port = 40000; port < 40010; ++port) w.probe(1s, port);
  EXPECT_EQ(w.watch.port_changes(PortChange::active), 2U);
  EXPECT_EQ(w.watch.port_changes(PortChange::every_packet), 7U);
  w.probe(1s, 40009);
  w.probe(1s, 40011);
  EXPECT_EQ(w.watch.port_changes(PortChange::active), 3U);
}

TEST(MappingWatch, WhatIsToldLateOfAnOlderPacketIsNoChange) {
  Watched w;
  w.probe(1s, 40000);
  w.probe(1s, 40001);
  w.watch.seen(1, 0, {*IpAddress::parse("198.51.100.1"), 40000});
  w.probe(1s, 40001);
  EXPECT_EQ(w.watch.port_changes(), 1U);
}

TEST(MappingWatch, AnAddressIsOfAllFlowsAPortOfOne) {
  Watched w;
  w.probe(1s, 40000);
  w.watch.sent(2, w.now);
  w.watch.seen(2, 0, {*IpAddress::parse("198.51.100.1"), 50000});
  EXPECT_EQ(w.watch.port_changes(), 0U);
  w.probe(1s, 40000, "198.51.100.2");
  EXPECT_EQ(w.watch.address_changes(), 1U);
  EXPECT_EQ(w.watch.port_changes(), 0U);
}

TEST(MappingWatch, TellsHowLongAFlowWasSilent) {
  MappingWatch watch;
  EXPECT_EQ(watch.sent(1, Instant{1000s}), 0s);
  EXPECT_EQ(watch.sent(2, Instant{1003s}), 0s) << "another flow";
  EXPECT_EQ(watch.sent(1, Instant{1007s}), 7s);
}

}  // namespace
}  // namespace ue::probe
