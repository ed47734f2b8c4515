#include "route/fib.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "ip.h"

namespace ue::route {
namespace {

uplink::Request route(int type, const char* destination, unsigned char length,
                      unsigned char kind = RTN_UNICAST) {
  rtmsg header{};
  const auto address = ip(destination);
  header.rtm_family = static_cast<unsigned char>(uplink::to_af(address.family()));
  header.rtm_dst_len = length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_type = kind;
  uplink::Request request(type, 0, header);
  if (length != 0) request.address(RTA_DST, address);
  return request;
}

nlmsghdr* bytes(const uplink::Request& request) { return nlmsg_hdr(request.get()); }

TEST(FibAnswer, ReadsGatewayInterfaceAndTable) {
  auto message = route(RTM_NEWROUTE, "111.222.33.44", 32);
  message.u32(RTA_TABLE, 862'000'001).u32(RTA_OIF, 7).address(RTA_GATEWAY, ip("192.168.0.1"));
  const auto answer = read_fib_answer(bytes(message));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, 0);
  EXPECT_EQ(answer->table, 862'000'001U);
  ASSERT_EQ(answer->hops.size(), 1U);
  EXPECT_EQ(answer->hops[0].ifindex, 7);
  EXPECT_EQ(answer->hops[0].gateway, ip("192.168.0.1"));
}

TEST(FibAnswer, ReadsRefusingRoutesAsTheirErrno) {
  EXPECT_EQ(read_fib_answer(bytes(route(RTM_NEWROUTE, "192.0.2.1", 32, RTN_UNREACHABLE)))->code,
            EHOSTUNREACH);
  EXPECT_EQ(read_fib_answer(bytes(route(RTM_NEWROUTE, "192.0.2.1", 32, RTN_BLACKHOLE)))->code, EINVAL);
  EXPECT_EQ(read_fib_answer(bytes(route(RTM_NEWROUTE, "192.0.2.1", 32, RTN_PROHIBIT)))->code, EACCES);
  EXPECT_TRUE(read_fib_answer(bytes(route(RTM_NEWROUTE, "192.0.2.1", 32, RTN_LOCAL)))->local);
}

TEST(FibAnswer, TakesNothingElse) {
  EXPECT_FALSE(read_fib_answer(bytes(route(RTM_DELROUTE, "192.0.2.1", 32))));
  nlmsghdr cut{};
  cut.nlmsg_len = sizeof cut;
  cut.nlmsg_type = RTM_NEWROUTE;
  EXPECT_FALSE(read_fib_answer(&cut));
}

TEST(Target, ParsesAddressesAndPrefixesOnly) {
  EXPECT_EQ(Target::parse("111.222.33.44")->sample(), ip("111.222.33.44"));
  EXPECT_EQ(Target::parse("10.9.7.0/16")->sample(), ip("10.9.0.1"));
  EXPECT_EQ(Target::parse("192.0.2.4/31")->sample(), ip("192.0.2.4"));
  EXPECT_EQ(Target::parse("2001:db8:1::/48")->sample(), ip("2001:db8:1::1"));
  for (const char* bad : {"vpn.example.net", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129", ""}) {
    EXPECT_FALSE(Target::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace ue::route
