#include "route/device_routes.h"

#include <gmock/gmock.h>
#include <linux/rtnetlink.h>

#include "ip.h"

namespace ue::route {
namespace {

using testing::HasSubstr;

uplink::Request device_route(const char* network, unsigned char length, std::uint32_t link,
                             unsigned char protocol = RTPROT_BOOT, unsigned char kind = RTN_UNICAST) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(uplink::to_af(ip(network).family()));
  header.rtm_dst_len = length;
  header.rtm_protocol = protocol;
  header.rtm_type = kind;
  uplink::Request request(RTM_NEWROUTE, 0, header);
  if (length != 0) request.address(RTA_DST, ip(network));
  request.u32(RTA_OIF, link);
  return request;
}

TEST(DeviceRoutes, CountsWhatSomebodyPutThere) {
  DeviceRoutes routes;
  const auto add = [&](const uplink::Request& r) { add_device_route(nlmsg_hdr(r.get()), 7, routes); };
  add(device_route("10.9.0.0", 24, 7));
  add(device_route("10.9.0.0", 24, 8));
  add(device_route("10.9.0.9", 32, 7, RTPROT_KERNEL));
  add(device_route("10.9.0.10", 32, 7, RTPROT_BOOT, RTN_LOCAL));
  add(device_route("fd00::", 0, 7));
  add(device_route("10.9.1.1", 32, 7));
  add(device_route("10.10.0.0", 16, 7));
  EXPECT_EQ(routes.count, 4u);
  EXPECT_EQ(routes.some, (std::vector<std::string>{"10.9.0.0/24", "default", "10.9.1.1"}));
}

TEST(BlackHole, IsOneOnlyWhileTheTunnelIsAway) {
  const DeviceRoutes routes{4, {"10.9.0.0/24", "10.9.1.1"}};
  EXPECT_EQ(black_hole(routes, {"cloud", "tun0", "", true}), "");
  EXPECT_EQ(black_hole({}, {"cloud", "tun0", "wait", true}), "");
  const auto apart = black_hole(routes, {"cloud", "tun0", "reconnecting", true});
  EXPECT_THAT(apart, HasSubstr("4 routes lead (10.9.0.0/24, 10.9.1.1 and 2 more) into tun0 and OpenVPN cloud "
                               "is not connected (reconnecting): what takes them is lost"));
  const auto abandoned = black_hole({1, {"10.9.0.0/24"}}, {"cloud", "tun0", "", false});
  EXPECT_THAT(abandoned, HasSubstr("1 route leads (10.9.0.0/24) into tun0 and no process holds that device"));
}

}  // namespace
}  // namespace ue::route
