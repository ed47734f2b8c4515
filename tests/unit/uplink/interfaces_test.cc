#include "uplink/interfaces.h"

#include <gmock/gmock.h>

#include "lab.h"
#include "uplink/discovery.h"
#include "uplink/monitor.h"

namespace ue::uplink {
namespace {

using ::testing::HasSubstr;
using Interfaces = Lab;
using MonitorTest = Lab;

Inventory read() {
  auto inventory = read_inventory();
  EXPECT_TRUE(inventory) << inventory.error();
  return *inventory;
}

TEST_F(Interfaces, LinksAndAddresses) {
  run("ip link add wg9 type bridge\n"
      "ip address add 10.1.2.3 peer 10.1.2.4/32 dev eth1\n"
      "ip address add 2001:db8:1::9/64 dev eth1 nodad preferred_lft 0");
  const auto inventory = read();
  const auto* eth1 = inventory.find("eth1");
  ASSERT_NE(eth1, nullptr);
  EXPECT_EQ(eth1->index, index("eth1"));
  EXPECT_EQ(inventory.find(eth1->index), eth1);
  EXPECT_TRUE(eth1->up);
  EXPECT_TRUE(eth1->carrier);
  EXPECT_EQ(eth1->kind, "veth");
  EXPECT_FALSE(eth1->loopback);
  EXPECT_TRUE(inventory.find("lo")->loopback);
  EXPECT_EQ(inventory.find("wg9")->kind, "bridge");
  EXPECT_FALSE(inventory.find("wg9")->up);
  std::map<std::string, Address> addresses;
  for (const auto& a : eth1->addresses) addresses[a.address.to_string()] = a;
  EXPECT_EQ(addresses["192.168.100.2"].prefix_length, 24);
  EXPECT_TRUE(addresses["192.168.100.2"].global);
  EXPECT_TRUE(addresses.contains("10.1.2.3")) << "our end of the pair, not the peer's";
  EXPECT_TRUE(addresses["2001:db8:1::9"].deprecated);
  EXPECT_TRUE(addresses["2001:db8:1::9"].usable);
  EXPECT_FALSE(addresses["2001:db8:1::2"].deprecated);

  in_far([] { run("ip link set far1 down"); });
  EXPECT_FALSE(read().find("eth1")->carrier);
}

TEST_F(Interfaces, OnlyDefaultRoutesAreKept) {
  run("ip route add default via 192.168.100.1 dev eth1 table 70000 metric 7 src 192.168.100.2\n"
      "ip route add 203.0.113.10 via 192.168.100.1 dev eth1\n"
      "ip route add 0.0.0.0/1 via 192.168.100.1 dev eth1\n"
      "ip route add unreachable default metric 4000\n"
      "ip route add default dev eth1 scope link metric 5000\n"
      "ip -6 route add 2000::/3 via 2001:db8:1::1 dev eth1\n"
      "ip -6 route add 4000::/3 via 2001:db8:1::1 dev eth1\n"
      "for i in $(seq 250); do echo route add 10.7.$i.0/24 via 192.168.100.1; done | ip -batch -");
  auto routes = read().default_routes;
  ASSERT_EQ(routes.size(), 4u);
  std::sort(routes.begin(), routes.end());
  EXPECT_EQ(routes[0], (DefaultRoute{254, Family::ipv4, index("eth2"), ip("123.45.0.1"), 0, {}}));
  EXPECT_EQ(routes[1].ifindex, index("eth1"));
  EXPECT_EQ(routes[1].gateway, ip("2001:db8:1::1"));
  EXPECT_EQ(routes[2].gateway, ip("2001:db8:2::1"));
  EXPECT_EQ(routes[3],
            (DefaultRoute{70000, Family::ipv4, index("eth1"), ip("192.168.100.1"), 7, ip("192.168.100.2")}));
}

TEST_F(Interfaces, MultipathAndIpv6NextHops) {
  run("ip route replace default nexthop via 123.45.0.1 dev eth2 nexthop via 192.168.100.1 dev eth1\n"
      "ip -4 route add default via inet6 fe80::1 dev eth1 metric 9");
  std::map<std::string, int> gateways;
  for (const auto& r : read().default_routes) {
    if (r.family == Family::ipv4) gateways[r.gateway->to_string()] = r.ifindex;
  }
  const std::map<std::string, int> expected{
      {"123.45.0.1", index("eth2")}, {"192.168.100.1", index("eth1")}, {"fe80::1", index("eth1")}};
  EXPECT_EQ(gateways, expected);
}

TEST_F(Interfaces, AnUplinkThatLosesItsCarrierStaysDiscovered) {
  in_far([] { run("ip link set far2 down"); });
  const auto inventory = read();
  const auto uplinks = discover(inventory);
  ASSERT_FALSE(uplinks.empty());
  EXPECT_EQ(uplinks[0].name, "eth2");
  EXPECT_THAT(resolve(uplinks[0], inventory).fault, HasSubstr("eth2 has no carrier"));
}

TEST_F(Interfaces, NeedsNoPrivilege) {
  unprivileged([] { EXPECT_TRUE(read_inventory()); });
}

TEST_F(Interfaces, TheSeedsGatewayIsDiscoveredAndResolved) {
  run("ip tuntap add tun0 mode tun && ip address add 10.8.0.2/24 dev tun0 && ip link set tun0 up\n"
      "ip route add default via 10.8.0.1 dev tun0 metric 50\n"
      "ip route add 203.0.113.10 via 192.168.100.1 dev eth1");
  const auto inventory = read();
  std::vector<std::string> names;
  for (const auto& u : discover(inventory)) names.push_back(u.name);
  EXPECT_EQ(names, (std::vector<std::string>{"eth2", "eth2_v6"}));
  config::Uplink five_g;
  five_g.name = "five_g";
  five_g.interface = "eth1";
  EXPECT_THAT(resolve(five_g, inventory).fault, HasSubstr("no default route through eth1"));
  five_g.gateway = ip("192.168.100.1");
  const auto state = resolve(five_g, inventory);
  EXPECT_EQ(state.fault, "");
  EXPECT_EQ(state.source, ip("192.168.100.2"));
  EXPECT_EQ(state.ifindex, index("eth1"));
}

TEST_F(MonitorTest, ReportsWhatMattersAndSkipsTheRest) {
  auto monitor = Monitor::open();
  ASSERT_TRUE(monitor) << monitor.error();
  EXPECT_FALSE(monitor->drain().any());
  run("ip route add 203.0.113.10 via 192.168.100.1 dev eth1\n"
      "ip -6 route add 4000::/3 via 2001:db8:1::1 dev eth1");
  EXPECT_TRUE(await(monitor->fd()));
  EXPECT_FALSE(monitor->drain().any()) << "no default routes";
  const auto changed = [&](const char* command) {
    run(command);
    while (await(monitor->fd())) {
      if (monitor->drain().any()) return true;
    }
    return false;
  };
  EXPECT_TRUE(changed("ip route add default via 192.168.100.1 dev eth1 metric 9"));
  EXPECT_TRUE(changed("ip route del default via 192.168.100.1 dev eth1 metric 9"));
  EXPECT_TRUE(changed("ip -6 route add 2000::/3 via 2001:db8:1::1 dev eth1"));
  EXPECT_TRUE(changed("ip -6 route add default via 2001:db8:1::1 dev eth1 metric 9"));
  EXPECT_TRUE(changed("ip address add 10.3.3.3/24 dev eth1"));
  EXPECT_TRUE(changed("ip -6 address add 2001:db8:9::3/64 dev eth1 nodad"));
  EXPECT_TRUE(changed("ip rule add from 10.3.3.3 lookup 101"));
  EXPECT_TRUE(changed("ip -6 rule add from 2001:db8:9::3 lookup 101"));
  EXPECT_TRUE(changed("ip link set eth1 down"));
  EXPECT_TRUE(changed("ip link add eth7 type veth peer name far7"));
  while (monitor->drain().any()) {
  }
  EXPECT_TRUE(changed("ip link del eth7"));
  EXPECT_EQ(monitor->overruns(), 0u);
}

TEST_F(MonitorTest, CountsOverrunsAndGoesOn) {
  auto monitor = Monitor::open();
  ASSERT_TRUE(monitor) << monitor.error();
  const int tiny = 1;  // the kernel's minimum, about two events
  ASSERT_EQ(setsockopt(monitor->fd(), SOL_SOCKET, SO_RCVBUF, &tiny, sizeof tiny), 0);
  run("for i in $(seq 200); do echo route add default via 192.168.100.1 metric $i; done | ip -batch -");
  EXPECT_TRUE(monitor->drain().any()) << "something may have been lost, so something may have changed";
  EXPECT_GT(monitor->overruns(), 0u);
  EXPECT_FALSE(monitor->drain().any());
  run("ip rule add from 10.3.3.3 lookup 101");
  EXPECT_TRUE(monitor->drain().any()) << "still subscribed";
}

}  // namespace
}  // namespace ue::uplink
