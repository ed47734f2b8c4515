#include "uplink/probe_route.h"

#include <gmock/gmock.h>

#include <array>
#include <cstdio>

#include "lab.h"
#include "uplink/bound_socket.h"
#include "uplink/monitor.h"

namespace ue::uplink {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string output(const std::string& command) {
  std::string text;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const auto n = fread(buffer.data(), 1, buffer.size(), pipe)) text.append(buffer.data(), n);
  pclose(pipe);
  return text;
}

/// Everything that ProbeRoutes could have changed.
std::string tables() {
  return output("ip rule; ip -6 rule; ip route show table all; ip -6 route show table all type unicast");
}

class ProbeRoute : public Lab {
 protected:
  void SetUp() override {
    Lab::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    five_g_.name = "five_g";
    five_g_.interface = "eth1";
    five_g_.gateway = ip("192.168.100.1");
    targets_ = {ip("203.0.113.10"), ip("203.0.113.11")};
    far_ends_ = far_socket({ip("203.0.113.10"), 862});
    // The far end answers to our uplink's address through the interface it lies behind.
    run("ip neigh flush all");
  }
  void TearDown() override {
    if (far_ends_ >= 0) ::close(far_ends_);
  }

  UplinkState state() {
    auto inventory = read_inventory();
    EXPECT_TRUE(inventory) << inventory.error();
    return resolve(five_g_, *inventory);
  }
  Result<std::monostate> ensure() { return routes_.ensure(five_g_, state(), targets_); }
  void expect_ensured() {
    const auto done = ensure();
    EXPECT_TRUE(done) << done.error();
  }
  RouteCheck bound_route(const IpAddress& to) {
    auto check = check_route(to, index("eth1"), 0, state().source);
    EXPECT_TRUE(check) << check.error();
    return *check;
  }

  /// A probe through eth1 to the far end and back.
  bool probe() {
    const auto s = state();
    auto socket = UdpSocket::open({"eth1", five_g_.family, five_g_.fwmark, s.source});
    EXPECT_TRUE(socket) << socket.error();
    const std::array<std::uint8_t, 2> bytes{1, 2};
    if (!socket->send(bytes, {ip("203.0.113.10"), 862})) return false;
    pollfd p{far_ends_, POLLIN, 0};
    if (poll(&p, 1, 300) != 1 || echo(far_ends_) != socket->local()) return false;
    // The transmit timestamp wakes poll() first.
    for (int i = 0; i < 3; ++i) {
      p = {socket->fd(), POLLIN, 0};
      if (poll(&p, 1, 300) != 1) return false;
      while (socket->receive_error()) {
      }
      if (socket->receive()) return true;
    }
    return false;
  }

  config::Uplink five_g_;
  std::vector<IpAddress> targets_;
  int far_ends_ = -1;
  ProbeRoutes routes_;
};

TEST_F(ProbeRoute, WithoutARouteTheKernelTakesTheFarHostForANeighbour) {
  const auto check = bound_route(ip("203.0.113.10"));
  EXPECT_FALSE(check.routed);
  EXPECT_EQ(check.reason, "No route to host");
  EXPECT_FALSE(probe());
  EXPECT_THAT(output("ip neigh show dev eth1"), HasSubstr("203.0.113.10"));
}

TEST_F(ProbeRoute, MakesTheConfiguredGatewayEffective) {
  const auto before = tables();
  expect_ensured();
  const auto check = bound_route(ip("203.0.113.10"));
  EXPECT_TRUE(check.routed);
  EXPECT_EQ(check.gateway, ip("192.168.100.1"));
  EXPECT_EQ(check.table, kProbeTableBase + static_cast<std::uint32_t>(index("eth1")));
  EXPECT_EQ(check.ifindex, index("eth1"));
  EXPECT_TRUE(probe());
  EXPECT_THAT(output("ip rule"), Not(HasSubstr("from 192.168.100.2")))
      << "rp_filter is off, so no rule for replies";

  routes_.remove_all();
  EXPECT_EQ(tables(), before) << "nothing is left";
  EXPECT_FALSE(probe());
}

TEST_F(ProbeRoute, OrdinaryTrafficIsNotTouched) {
  const auto route_of = [&](const char* arguments) {
    return output(std::string("ip route get ") + arguments + " | head -1");
  };
  const auto plain = route_of("203.0.113.10");
  const auto other = route_of("198.51.100.1");
  const auto from = route_of("198.51.100.1 from 192.168.100.2");
  const auto near = route_of("192.168.100.77 oif eth1");
  const auto carrier = route_of("203.0.113.10 oif eth2");
  write_sysctl("ipv4/conf/eth1/rp_filter", "1");
  expect_ensured();
  EXPECT_EQ(route_of("203.0.113.10"), plain);
  EXPECT_EQ(route_of("198.51.100.1"), other);
  EXPECT_EQ(route_of("198.51.100.1 from 192.168.100.2"), from);
  EXPECT_EQ(route_of("192.168.100.77 oif eth1"), near) << "the uplink's own subnet stays on the link";
  EXPECT_EQ(route_of("203.0.113.10 oif eth2"), carrier);
}

TEST_F(ProbeRoute, StrictReversePathFilterGetsARuleForReplies) {
  write_sysctl("ipv4/conf/eth1/rp_filter", "1");
  auto reply = check_reply({ip("203.0.113.10"), index("eth1"), 0, ip("192.168.100.2")});
  ASSERT_TRUE(reply);
  EXPECT_FALSE(reply->accepted);
  EXPECT_THAT(reply->reason, HasSubstr("rp_filter=1"));

  const auto before = tables();
  expect_ensured();
  reply = check_reply({ip("203.0.113.10"), index("eth1"), 0, ip("192.168.100.2")});
  EXPECT_TRUE(reply->accepted);
  EXPECT_TRUE(probe());
  reply = check_reply({ip("198.51.100.1"), index("eth1"), 0, ip("192.168.100.2")});
  EXPECT_FALSE(reply->accepted) << "the filter still holds for everybody else";

  targets_.pop_back();
  expect_ensured();
  EXPECT_THAT(output("ip rule"), Not(HasSubstr("203.0.113.11"))) << "no longer probed";
  EXPECT_TRUE(probe());
  routes_.remove("five_g");
  EXPECT_EQ(tables(), before);
}

TEST_F(ProbeRoute, UnreachableDefaultInMainIsOvercome) {
  run("ip route add unreachable default metric 4000000");
  expect_ensured();
  EXPECT_TRUE(probe());
}

TEST_F(ProbeRoute, Ipv6) {
  five_g_.family = Family::ipv6;
  five_g_.gateway = ip("2001:db8:1::1");
  targets_ = {ip("203.0.113.10"), ip("2001:db8:f::1")};
  const auto before = tables();
  EXPECT_EQ(bound_route(ip("2001:db8:f::1")).reason, "Network is unreachable");
  expect_ensured();
  EXPECT_EQ(bound_route(ip("2001:db8:f::1")).gateway, ip("2001:db8:1::1"));
  EXPECT_THAT(output("ip rule"), Not(HasSubstr("eth1"))) << "the IPv4 target is another uplink's";
  const int far = far_socket({targets_[1], 862});
  auto socket = UdpSocket::open({"eth1", Family::ipv6, 0, state().source});
  ASSERT_TRUE(socket && socket->send(Bytes{1}, {targets_[1], 862}));
  EXPECT_EQ(echo(far), (Endpoint{ip("2001:db8:1::2"), socket->local().port}));
  ::close(far);
  auto monitor = Monitor::open();
  ASSERT_TRUE(monitor) << monitor.error();
  expect_ensured();
  EXPECT_FALSE(monitor->drain().any()) << "nothing was missing, so nothing may change";
  routes_.remove_all();
  EXPECT_EQ(tables(), before);
}

TEST_F(ProbeRoute, AsksBeforeItChangesAnything) {
  const auto unchanged = [&](const char* why) {
    const auto before = tables();
    expect_ensured();
    EXPECT_EQ(tables(), before) << why;
  };
  const auto gateway = std::exchange(five_g_.gateway, std::nullopt);
  unchanged("no gateway: configured, no consent");
  five_g_.gateway = gateway;
  run("ip route add default via 192.168.100.1 dev eth1 metric 900");
  unchanged("main has a route");
  run("ip route del default via 192.168.100.1 dev eth1 metric 900\n"
      "ip route add default via 192.168.100.1 dev eth1 table 101\n"
      "ip rule add fwmark 0x100 lookup 101");
  five_g_.fwmark = 0x100;
  unchanged("the uplink's mark leads to a table with one");
  run("ip link set eth1 down");
  unchanged("the link is gone");
}

TEST_F(ProbeRoute, IsIdempotentAndSilentWhenNothingIsMissing) {
  write_sysctl("ipv4/conf/eth1/rp_filter", "1");
  expect_ensured();
  auto monitor = Monitor::open();
  ASSERT_TRUE(monitor) << monitor.error();
  const auto before = tables();
  expect_ensured();
  EXPECT_FALSE(monitor->drain().any()) << "a change would be seen, and lead to the next ensure(), for ever";
  EXPECT_EQ(tables(), before);
}

TEST_F(ProbeRoute, PutsBackWhatWasLost) {
  expect_ensured();
  const auto before = tables();
  run("ip link set eth1 down; ip link set eth1 up");  // takes the route along
  EXPECT_FALSE(bound_route(ip("203.0.113.10")).routed);
  run("ip rule del oif eth1 pref 33000");
  expect_ensured();
  EXPECT_TRUE(bound_route(ip("203.0.113.10")).routed);
  EXPECT_TRUE(probe());
}

TEST_F(ProbeRoute, FollowsANewAddressAndGateway) {
  write_sysctl("ipv4/conf/eth1/rp_filter", "1");
  const auto rules_before = output("ip rule");
  expect_ensured();
  run("ip address del 192.168.100.2/24 dev eth1; ip address add 192.168.100.3/24 dev eth1");
  in_far([] { run("ip address add 192.168.100.9/24 dev far1"); });
  five_g_.gateway = ip("192.168.100.9");
  expect_ensured();
  EXPECT_EQ(bound_route(ip("203.0.113.10")).gateway, ip("192.168.100.9"));
  EXPECT_TRUE(probe());
  EXPECT_THAT(output("ip rule"), Not(HasSubstr("192.168.100.2 ")));
  five_g_.gateway.reset();
  expect_ensured();
  EXPECT_EQ(output("ip rule"), rules_before) << "the consent was withdrawn";
}

TEST_F(ProbeRoute, CleansUpAfterAKilledAgent) {
  const auto before = tables();
  run("ip rule add oif eth8 lookup 862000099 pref 33000 protocol 217\n"
      "ip -6 rule add oif eth8 lookup 862000099 pref 33000 protocol 217\n"
      "ip rule add from 10.3.3.3 to 203.0.113.10 lookup 862000099 pref 900 protocol 217\n"
      "ip route add default via 192.168.100.99 dev eth1 table " +
      std::to_string(kProbeTableBase + static_cast<std::uint32_t>(index("eth1"))) + " proto 217\n" +
      "ip rule add from 10.4.4.4 lookup 101 pref 901");
  expect_ensured();
  EXPECT_EQ(bound_route(ip("203.0.113.10")).gateway, ip("192.168.100.1"));
  EXPECT_THAT(output("ip rule; ip -6 rule"), Not(HasSubstr("eth8")));
  EXPECT_THAT(output("ip rule"), Not(HasSubstr("10.3.3.3")));
  EXPECT_THAT(output("ip rule"), HasSubstr("10.4.4.4")) << "not ours";
  routes_.remove_all();
  run("ip rule del pref 901");
  EXPECT_EQ(tables(), before);
}

TEST_F(ProbeRoute, WithoutTheCapabilityTheCommandsAreNamed) {
  const auto s = state();
  const auto table = std::to_string(kProbeTableBase + static_cast<std::uint32_t>(index("eth1")));
  unprivileged([&] {
    const auto done = routes_.ensure(five_g_, s, targets_);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error(),
              "routing probes via 192.168.100.1 on eth1: not permitted; grant the program CAP_NET_ADMIN, or "
              "run: ip route "
              "replace default via 192.168.100.1 dev eth1 table " +
                  table + "; ip rule add oif eth1 lookup " + table);
  });
  run("ip route add default via 192.168.100.1 dev eth1 table " + table + "; ip rule add oif eth1 lookup " +
      table);
  unprivileged([&] {
    const auto done = routes_.ensure(five_g_, s, targets_);
    EXPECT_TRUE(done) << done.error();
  });
  EXPECT_TRUE(probe()) << "the commands do what they say";
  write_sysctl("ipv4/conf/eth1/rp_filter", "1");
  unprivileged([&] {
    const auto done = routes_.ensure(five_g_, s, targets_);
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error(), HasSubstr("CAP_NET_ADMIN"));
    EXPECT_THAT(done.error(), HasSubstr("ip rule add from 192.168.100.2 lookup " + table));
  });
}

TEST_F(ProbeRoute, AGatewayOutsideTheSubnetIsAnErrorAndLeavesNothing) {
  const auto before = tables();
  five_g_.gateway = ip("192.168.7.1");
  const auto done = ensure();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error(), HasSubstr("check `gateway:` of uplink five_g"));
  EXPECT_EQ(tables(), before);
}

TEST_F(ProbeRoute, CheckRouteTellsRefusals) {
  run("ip route add prohibit 203.0.113.10\n"
      "ip -6 route add prohibit 2001:db8:f::1");
  auto check = bound_route(ip("203.0.113.10"));
  EXPECT_FALSE(check.routed);
  EXPECT_EQ(check.code, EHOSTUNREACH)
      << "a bound IPv4 packet goes out regardless, to a neighbour that is not there";
  check = bound_route(ip("2001:db8:f::1"));
  EXPECT_FALSE(check.routed);
  EXPECT_EQ(check.reason, "Network is unreachable");
  const auto unbound = check_route(ip("203.0.113.10"), 0, 0, std::nullopt);
  ASSERT_TRUE(unbound);
  EXPECT_FALSE(unbound->routed);
  EXPECT_EQ(unbound->reason, "Permission denied");
  run("ip route replace default nexthop via 123.45.0.1 dev eth2 nexthop via 192.168.100.1 dev eth1");
  const auto split = bound_route(ip("198.51.100.1"));
  EXPECT_TRUE(split.routed);
  EXPECT_EQ(split.gateway, ip("192.168.100.1")) << "the next hop of the interface, out of two";
  const auto near = bound_route(ip("192.168.100.50"));
  EXPECT_TRUE(near.routed);
  EXPECT_FALSE(near.gateway) << "on the link";
  EXPECT_EQ(near.table, 254u);
}

}  // namespace
}  // namespace ue::uplink
