#include "probe/trace.h"

#include <gtest/gtest.h>

namespace ue::probe {
namespace {

TEST(Trace, NeverGoesBeyondItsLimits) {
  for (const bool known : {true, false}) {
    Hops usual;
    usual.routers.assign(30, IpAddress::v4(0x0a000001));
    Trace trace(known ? 30 : 200, known ? std::optional(usual) : std::nullopt);
    unsigned packets = 0;
    while (const auto ttl = trace.next()) {
      trace.answered(*ttl, IpAddress::v4(0x0a000000 + *ttl));
      EXPECT_LE(*ttl, Trace::kMostHops);
      ASSERT_LT(++packets, 100U);
    }
    EXPECT_EQ(packets, Trace::kMostHops);
  }
  Trace silent(24, std::nullopt);
  unsigned packets = 0;
  while (silent.next()) ASSERT_LT(++packets, 100U);
  EXPECT_EQ(packets, 12U) << "four hops, three times";
}

}  // namespace
}  // namespace ue::probe
