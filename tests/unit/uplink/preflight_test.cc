#include "uplink/preflight.h"

#include <gtest/gtest.h>

namespace ue::uplink {
namespace {

constexpr std::string_view kNetstat =
    "TcpExt: SyncookiesSent PAWSActive IPReversePathFilter TW\n"
    "TcpExt: 0 0 4711 9\n"
    "IpExt: InNoRoutes InOctets\n"
    "IpExt: 3 12345678901\n";

TEST(Netstat, ACounterIsFoundUnderItsNameInWhicheverBlock) {
  EXPECT_EQ(netstat_counter(kNetstat, "IPReversePathFilter"), 4711U);
  EXPECT_EQ(netstat_counter(kNetstat, "TW"), 9U);
  EXPECT_EQ(netstat_counter(kNetstat, "InOctets"), 12345678901U);
}

TEST(Netstat, WhatIsNotThereIsNotKnown) {
  EXPECT_FALSE(netstat_counter(kNetstat, "Absent"));
  EXPECT_FALSE(netstat_counter(kNetstat, "TcpExt:"));
  EXPECT_FALSE(netstat_counter("", "TW"));
  EXPECT_FALSE(netstat_counter("TcpExt: A B\n", "B"));
  EXPECT_FALSE(netstat_counter("TcpExt: A B\nTcpExt: 1\n", "B"));
  EXPECT_FALSE(netstat_counter("TcpExt: A B\nIpExt: 1 2\n", "B"));
  EXPECT_FALSE(netstat_counter("TcpExt: A B\nTcpExt: 1 x\n", "B"));
}

TEST(Netstat, ThisKernelCountsWhatItsReversePathFilterDrops) { EXPECT_TRUE(reverse_path_drops()); }

}  // namespace
}  // namespace ue::uplink
