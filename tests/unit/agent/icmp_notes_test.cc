#include "agent/icmp_notes.h"

#include <gtest/gtest.h>

namespace ue::agent {
namespace {

uplink::IcmpError error(int type, int code, const char* offender) {
  uplink::IcmpError e;
  e.type = static_cast<std::uint8_t>(type);
  e.code = static_cast<std::uint8_t>(code);
  e.offender = *IpAddress::parse(offender);
  return e;
}

constexpr Instant kNow{std::chrono::hours(1)};

TEST(IcmpNotes, CountsByTypeAndNamesWhoRefused) {
  IcmpNotes notes;
  notes.note(error(3, 13, "123.45.0.1"), kNow);
  notes.note(error(3, 1, "192.0.2.1"), kNow);
  notes.note(error(3, 1, "192.0.2.1"), kNow);
  EXPECT_EQ(notes.counts(),
            (std::map<std::string, std::uint64_t>{{"admin-prohibited", 1}, {"host-unreachable", 2}}));
  EXPECT_EQ(notes.complaint(kNow), "192.0.2.1 refuses them with ICMP host-unreachable");
  EXPECT_EQ(notes.complaint(kNow + std::chrono::minutes(1)), "");
}

TEST(IcmpNotes, WhatHasNoNameIsToldByItsNumbers) {
  IcmpNotes notes;
  notes.note(error(3, 16, "192.0.2.1"), kNow);
  EXPECT_EQ(notes.complaint(kNow), "192.0.2.1 refuses them with ICMP type 3 code 16");
  EXPECT_EQ(notes.counts().at("other"), 1U);
}

TEST(IcmpNotes, ATtlThatEndedOrAPacketTooBigIsNoRefusal) {
  IcmpNotes notes;
  notes.note(error(11, 0, "192.0.2.1"), kNow);
  notes.note(error(3, 4, "192.0.2.1"), kNow);
  EXPECT_EQ(notes.complaint(kNow), "");
  EXPECT_FALSE(notes.refusal());
}

TEST(IcmpNotes, OnlyTheFarEndItselfSaysThatNobodyListensThere) {
  IcmpNotes notes;
  auto e = error(3, 3, "192.0.2.1");
  notes.note(e, kNow);
  EXPECT_FALSE(notes.refusal());
  e.from_destination = true;
  notes.note(e, kNow);
  EXPECT_EQ(notes.refusal()->at, kNow);
}

}  // namespace
}  // namespace ue::agent
