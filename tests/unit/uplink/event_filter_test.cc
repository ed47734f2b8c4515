#include <gtest/gtest.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ip.h"
#include "uplink/kernel_events.h"
#include "uplink/netlink.h"

namespace ue::uplink {
namespace {

Request route_message(int type, const char* destination, unsigned char length) {
  rtmsg header{};
  const auto address = ip(destination);
  header.rtm_family = static_cast<unsigned char>(to_af(address.family()));
  header.rtm_dst_len = length;
  Request request(type, 0, header);
  request.u32(RTA_TABLE, 254);
  if (length != 0) request.address(RTA_DST, address);
  return request;
}

Request neighbour_message(int ifindex) {
  ndmsg header{};
  header.ndm_family = AF_INET;
  header.ndm_ifindex = ifindex;
  return Request(RTM_NEWNEIGH, 0, header);
}

/// The kernel's own interpreter runs the program, over a pair of local sockets.
class EventFilter : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends_), 0); }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  void attach(const Interest& interest) {
    interest_ = interest;
    auto program = event_filter(interest);
    ASSERT_LE(program.size(), 4096U);
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    ASSERT_EQ(setsockopt(ends_[1], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), 0);
  }

  bool passes(const Request& request) {
    const auto* message = nlmsg_hdr(request.get());
    EXPECT_GE(::send(ends_[0], message, message->nlmsg_len, 0), 0);
    char buffer[4096];
    return ::recv(ends_[1], buffer, sizeof buffer, 0) > 0;
  }

  bool matters(const Request& request) { return classify(nlmsg_hdr(request.get()), interest_).any(); }

  int ends_[2]{-1, -1};
  Interest interest_;
};

TEST_F(EventFilter, LetsThroughWhatCoversAWatchedAddress) {
  attach({{ip("111.222.33.44"), ip("2001:db8:aaaa:bbbb::7"), ip("10.0.0.1")}, {}});
  for (const auto type : {RTM_NEWROUTE, RTM_DELROUTE}) {
    EXPECT_TRUE(passes(route_message(type, "111.222.33.44", 32)));
    EXPECT_TRUE(passes(route_message(type, "111.222.33.40", 29)));
    EXPECT_TRUE(passes(route_message(type, "96.0.0.0", 4)));
    EXPECT_TRUE(passes(route_message(type, "10.0.0.0", 31)));
    EXPECT_TRUE(passes(route_message(type, "0.0.0.0", 0)));
    EXPECT_TRUE(passes(route_message(type, "::", 0)));
    EXPECT_TRUE(passes(route_message(type, "2000::", 3)));
    EXPECT_TRUE(passes(route_message(type, "2001:db8::", 32)));
    EXPECT_TRUE(passes(route_message(type, "2001:db8::", 29)));
    EXPECT_TRUE(passes(route_message(type, "2001:db8:aaaa::", 33)));
    EXPECT_TRUE(passes(route_message(type, "2001:db8:aaaa:bbbb::", 64)));
    EXPECT_TRUE(passes(route_message(type, "2001:db8:aaaa:bbbb::7", 128)));
    EXPECT_FALSE(passes(route_message(type, "111.222.33.45", 32)));
    EXPECT_FALSE(passes(route_message(type, "111.222.33.48", 29)));
    EXPECT_FALSE(passes(route_message(type, "128.0.0.0", 1)));
    EXPECT_FALSE(passes(route_message(type, "2001:db9::", 32)));
    EXPECT_FALSE(passes(route_message(type, "2001:db8::", 33)));
    EXPECT_FALSE(passes(route_message(type, "2001:db8:aaaa:bbba::", 64)));
    EXPECT_FALSE(passes(route_message(type, "2001:db8:aaaa:bbba::7", 128)));
  }
}

/// What the exact look would call a change may never be lost in the coarse one.
TEST_F(EventFilter, LosesNothingThatMatters) {
  const Interest interest{{ip("111.222.33.44"), ip("2001:db8:aaaa:bbbb::7")}, {}};
  attach(interest);
  int mattered = 0;
  for (const char* text :
       {"111.222.33.44", "111.222.160.44", "2001:db8:aaaa:bbbb::7", "2001:db8:aaaa:3bbb::7"}) {
    const auto address = ip(text);
    const unsigned most = address.is_v4() ? 32 : 128;
    for (unsigned length = 0; length <= most; ++length) {
      const auto event = route_message(RTM_NEWROUTE, text, static_cast<unsigned char>(length));
      const bool exact = matters(event);
      mattered += exact ? 1 : 0;
      EXPECT_TRUE(passes(event) || !exact) << text << "/" << length;
      EXPECT_TRUE(!address.is_v4() || passes(event) == exact) << text << "/" << length;
    }
  }
  EXPECT_EQ(mattered, 33 + 129 + 17 + 49);
}

TEST_F(EventFilter, NeighboursOfWatchedLinksOnly) {
  attach({{}, {3, 70000}});
  EXPECT_TRUE(passes(neighbour_message(3)));
  EXPECT_TRUE(passes(neighbour_message(70000)));
  EXPECT_FALSE(passes(neighbour_message(4)));
  EXPECT_TRUE(classify(nlmsg_hdr(neighbour_message(3).get()), {{}, {3}}).neighbours);
}

TEST_F(EventFilter, EveryRouteIntoAWatchedLink) {
  Interest interest;
  interest.tunnel_links = {7, 70000};
  attach(interest);
  for (const auto* destination : {"10.9.0.0", "fd00::"}) {
    for (const auto& [link, watched] : {std::pair(7u, true), std::pair(70000u, true), std::pair(8u, false)}) {
      auto event = route_message(RTM_NEWROUTE, destination, 24);
      event.u32(RTA_OIF, link);
      EXPECT_EQ(passes(event), watched) << link;
      EXPECT_EQ(classify(nlmsg_hdr(event.get()), interest_).tunnels, watched) << link;
    }
  }
  EXPECT_FALSE(passes(route_message(RTM_NEWROUTE, "10.9.0.0", 24))) << "several next hops, or none";
}

TEST_F(EventFilter, EverythingElsePasses) {
  attach({});
  EXPECT_TRUE(passes(Request(RTM_NEWLINK, 0, ifinfomsg{})));
  EXPECT_TRUE(passes(Request(RTM_DELADDR, 0, ifaddrmsg{})));
  EXPECT_TRUE(passes(Request(RTM_NEWRULE, 0, rtmsg{})));
  EXPECT_FALSE(passes(route_message(RTM_NEWROUTE, "10.0.0.0", 8)));
}

TEST_F(EventFilter, TooManyAddressesAreSortedOutByUs) {
  Interest interest;
  for (std::uint32_t i = 0; i < 300; ++i) {
    interest.destinations.push_back(i % 2 == 0 ? IpAddress::v4(0x0a000000 + i) : ip("2001:db8::1"));
  }
  attach(interest);
  EXPECT_FALSE(passes(route_message(RTM_NEWROUTE, "11.0.0.0", 8)));
  EXPECT_TRUE(passes(route_message(RTM_NEWROUTE, "10.0.1.42", 32)));
  interest.destinations.push_back(ip("10.9.9.9"));
  attach(interest);
  EXPECT_TRUE(passes(route_message(RTM_NEWROUTE, "11.0.0.0", 8)));
  EXPECT_FALSE(matters(route_message(RTM_NEWROUTE, "11.0.0.0", 8)));
}

}  // namespace
}  // namespace ue::uplink
