#include "uplink/bound_socket.h"

#include <gmock/gmock.h>

#include <cstring>

#include "lab.h"

namespace ue::uplink {
namespace {

using ::testing::HasSubstr;

const Bytes kPayload{1, 2, 3, 4};

class BoundSocket : public Lab {
 protected:
  static UdpSocket open(const char* interface, Family family = Family::ipv4, UdpOptions options = {}) {
    auto socket = UdpSocket::open({interface, family, 0, std::nullopt}, options);
    EXPECT_TRUE(socket) << socket.error();
    return std::move(*socket);
  }

  /// Waits for the next entry of the error queue that is of kind T; others before it are dropped.
  template <typename T>
  static std::optional<T> await_error(UdpSocket& socket) {
    while (true) {
      while (auto error = socket.receive_error()) {
        if (auto* wanted = std::get_if<T>(&*error)) return *wanted;
      }
      if (!await(socket.fd())) return std::nullopt;
      if (socket.receive()) return std::nullopt;
    }
  }
};

void expect_round_trip(UdpSocket& socket, const Endpoint& target, std::uint32_t expected_id,
                       std::optional<Endpoint> seen) {
  ASSERT_TRUE(seen) << "the far end got nothing";
  EXPECT_EQ(seen->port, socket.local().port);
  ASSERT_TRUE(await(socket.fd()));
  std::optional<TxTimestamp> sent;
  while (auto error = socket.receive_error()) {
    if (auto* t = std::get_if<TxTimestamp>(&*error)) sent = *t;
  }
  std::optional<Datagram> reply;
  while (!(reply = socket.receive()) && await(socket.fd())) {
    while (socket.receive_error()) {
    }
  }
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->id, expected_id);
  ASSERT_TRUE(reply);
  EXPECT_EQ(Bytes(reply->bytes.begin(), reply->bytes.end()), kPayload);
  EXPECT_EQ(reply->source, target);
  EXPECT_EQ(reply->destination, seen->address);
  EXPECT_EQ(reply->ttl, 64);
  EXPECT_GT(reply->received, sent->time) << "received before it was sent";
  EXPECT_LT(reply->received - sent->time, std::chrono::seconds(3));
  EXPECT_LT(std::chrono::abs(read_clocks().wall - reply->received), std::chrono::seconds(60))
      << "CLOCK_REALTIME";
}

TEST_F(BoundSocket, Ipv4RoundTripHasKernelTimesAndTtl) {
  const Endpoint target{ip("203.0.113.10"), 862};
  const int far = far_socket(target);
  auto socket = open("eth2");
  EXPECT_NE(socket.local().port, 0);
  for (std::uint32_t id = 0; id < 3; ++id) {
    const auto sent = socket.send(kPayload, target);
    ASSERT_TRUE(sent) << sent.error();
    EXPECT_EQ(sent->size, kPayload.size());
    EXPECT_EQ(sent->id, id);
    expect_round_trip(socket, target, id, echo(far));
  }
  EXPECT_FALSE(socket.receive());
  EXPECT_FALSE(socket.receive_error());
  ::close(far);
}

TEST_F(BoundSocket, Ipv6RoundTripFromAChosenSource) {
  const Endpoint target{ip("2001:db8:f::1"), 862};
  const int far = far_socket(target);
  run("ip address add 2001:db8:2::77/64 dev eth2 nodad");
  auto socket = UdpSocket::open({"eth2", Family::ipv6, 0, ip("2001:db8:2::77")});
  ASSERT_TRUE(socket) << socket.error();
  ASSERT_TRUE(socket->send(kPayload, target));
  const auto seen = echo(far);
  expect_round_trip(*socket, target, 0, seen);
  EXPECT_EQ(seen->address, ip("2001:db8:2::77"));
  ::close(far);
}

TEST_F(BoundSocket, ReplyOfAForeignAddressIsSeen) {
  const int far = far_socket({ip("203.0.113.10"), 862});
  const int other = far_socket({ip("203.0.113.11"), 4000});
  auto socket = open("eth2");
  ASSERT_TRUE(socket.send(kPayload, {ip("203.0.113.10"), 862}));
  ASSERT_TRUE(echo(far, other));
  std::optional<Datagram> reply;
  while (!(reply = socket.receive()) && await(socket.fd())) (void)socket.receive_error();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->source.to_string(), "203.0.113.11:4000");
  ::close(far);
  ::close(other);
}

TEST_F(BoundSocket, PortUnreachableComesFromTheDestination) {
  for (const auto* address : {"203.0.113.10", "2001:db8:f::1"}) {
    const Endpoint target{ip(address), 9};
    auto socket = open("eth2", target.address.family());
    ASSERT_TRUE(socket.send(kPayload, target));
    const auto error = await_error<IcmpError>(socket);
    ASSERT_TRUE(error) << address;
    EXPECT_EQ(icmp_name(*error), "port-unreachable");
    EXPECT_EQ(error->offender, target.address);
    EXPECT_TRUE(error->from_destination);
    EXPECT_EQ(error->destination, target);
    EXPECT_EQ(Bytes(error->payload.begin(), error->payload.end()), kPayload);
  }
}

TEST_F(BoundSocket, AnUnreadIcmpErrorStopsNeitherSendingNorReceiving) {
  const Endpoint target{ip("203.0.113.10"), 862};
  auto socket = open("eth2");
  ASSERT_TRUE(socket.send(kPayload, target));
  pollfd p{socket.fd(), 0, 0};
  ASSERT_EQ(poll(&p, 1, 3000), 1);
  const int far = far_socket(target);
  for (int i = 0; i < 2; ++i) {
    const auto sent = socket.send(kPayload, target);
    ASSERT_TRUE(sent) << sent.error();
    ASSERT_TRUE(echo(far));
  }
  ASSERT_TRUE(await_error<IcmpError>(socket));
  while (socket.receive_error()) {
  }
  EXPECT_TRUE(socket.receive());
  ::close(far);
}

TEST_F(BoundSocket, TtlOfOnePacketShowsTheRouterInBetween) {
  in_far([] {
    write_sysctl("ipv4/ip_forward", "1");
    run("ip route add 198.51.100.0/24 via 192.168.100.2 dev far1");
  });
  const Endpoint target{ip("198.51.100.9"), 862};
  auto socket = open("eth2");
  ASSERT_TRUE(socket.send(kPayload, target, std::uint8_t{1}));
  const auto error = await_error<IcmpError>(socket);
  ASSERT_TRUE(error);
  EXPECT_EQ(icmp_name(*error), "time-exceeded");
  EXPECT_EQ(error->offender, ip("123.45.0.1"));
  EXPECT_FALSE(error->from_destination);
  EXPECT_EQ(error->destination, target);
}

TEST_F(BoundSocket, DontFragmentMeetsOnlyTheInterfacesOwnMtu) {
  const Endpoint target{ip("203.0.113.10"), 862};
  const int far = far_socket(target);
  const Bytes big(1600);
  auto whole = open("eth2", Family::ipv4, {.dont_fragment = true});
  EXPECT_FALSE(whole.send(big, target));
  EXPECT_EQ(whole.last_errno(), EMSGSIZE);
  const auto local = await_error<LocalError>(whole);
  ASSERT_TRUE(local);
  EXPECT_EQ(local->code, EMSGSIZE);
  EXPECT_EQ(local->mtu, 1500u);
  EXPECT_TRUE(whole.send(Bytes(1472), target));
  EXPECT_TRUE(await(far));

  auto cut = open("eth2");
  const auto sent = cut.send(big, target);
  EXPECT_TRUE(sent) << sent.error();
  ::close(far);
}

TEST_F(BoundSocket, TimestampIdsStayRightAfterAFailedSend) {
  const Endpoint target{ip("203.0.113.10"), 862};
  const int far = far_socket(target);
  // Refused by the firewall, after the kernel has counted it.
  run("nft 'add table ip t; add chain ip t o { type filter hook output priority 0; }; "
      "add rule ip t o ip daddr 198.51.100.1 drop'");
  auto socket = open("eth2", Family::ipv4, {.dont_fragment = true});
  const auto expect_id = [&](std::uint32_t id) {
    const auto sent = socket.send(kPayload, target);
    ASSERT_TRUE(sent) << sent.error();
    EXPECT_EQ(sent->id, id);
    const auto timestamp = await_error<TxTimestamp>(socket);
    ASSERT_TRUE(timestamp);
    EXPECT_EQ(timestamp->id, id);
  };
  expect_id(0);
  EXPECT_FALSE(socket.send(Bytes(1600), target));
  expect_id(1);
  const auto refused = socket.send(kPayload, {ip("198.51.100.1"), 862});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), HasSubstr("to 198.51.100.1:862: Operation not permitted"));
  expect_id(2);
  expect_id(3);
  ::close(far);
}

TEST_F(BoundSocket, ErrorsNameTheRemedy) {
  const auto missing = UdpSocket::open({"eth9", Family::ipv4, 0, std::nullopt});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error(),
            "binding a socket to interface eth9: the interface does not exist (it may come back; else check "
            "`interface:`)");
  const auto gone = UdpSocket::open({"eth1", Family::ipv4, 0, ip("10.9.9.9")});
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error(),
              HasSubstr("using source address 10.9.9.9 on interface eth1: the address is not there"));
  unprivileged([] {
    const auto marked = UdpSocket::open({"eth1", Family::ipv4, 0x100, std::nullopt});
    ASSERT_FALSE(marked);
    EXPECT_THAT(marked.error(),
                HasSubstr("fwmark 0x100 for interface eth1: not permitted; grant the program CAP_NET_ADMIN"));
    EXPECT_TRUE(UdpSocket::open({"eth1", Family::ipv4, 0, std::nullopt}))
        << "a binding alone needs no privilege";
  });
}

TEST_F(BoundSocket, FwmarkSelectsThePolicyTable) {
  run("ip route add default via 192.168.100.1 dev eth1 table 101\n"
      "ip rule add fwmark 0x100 lookup 101");
  const Endpoint target{ip("203.0.113.10"), 862};
  const int far = far_socket(target);
  auto socket = UdpSocket::open({"eth1", Family::ipv4, 0x100, std::nullopt});
  ASSERT_TRUE(socket) << socket.error();
  ASSERT_TRUE(socket->send(kPayload, target));
  EXPECT_EQ(echo(far), (Endpoint{ip("192.168.100.2"), socket->local().port}));
  ::close(far);
}

TEST_F(BoundSocket, TcpLeavesThroughTheUplinkToo) {
  int listener = -1;
  in_far([&] {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(listen(listener, 1), 0);
  });
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const Endpoint target{ip("192.168.100.1"),
                        Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&address)).port};
  run("ip route add 192.168.100.1 via 123.45.0.1 dev eth2");  // without the binding it would leave through
                                                              // eth2

  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto bound = bind_to_uplink(fd, {"eth1", Family::ipv4, 0, ip("192.168.100.2")});
  ASSERT_TRUE(bound) << bound.error();
  size = target.to_sockaddr(address);
  ASSERT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), size), 0) << std::strerror(errno);
  size = sizeof address;
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(Endpoint::from_sockaddr(reinterpret_cast<sockaddr*>(&address)).address, ip("192.168.100.2"));
  ::close(fd);
  ::close(listener);
}

TEST(IcmpName, EveryKindThatRoutersSend) {
  const auto name = [](Family family, int type, int code) {
    IcmpError error;
    error.family = family;
    error.type = static_cast<std::uint8_t>(type);
    error.code = static_cast<std::uint8_t>(code);
    return icmp_name(error);
  };
  EXPECT_EQ(name(Family::ipv4, 3, 0), "network-unreachable");
  EXPECT_EQ(name(Family::ipv4, 3, 1), "host-unreachable");
  EXPECT_EQ(name(Family::ipv4, 3, 2), "protocol-unreachable");
  EXPECT_EQ(name(Family::ipv4, 3, 3), "port-unreachable");
  EXPECT_EQ(name(Family::ipv4, 3, 4), "fragmentation-needed");
  EXPECT_EQ(name(Family::ipv4, 3, 13), "admin-prohibited");
  EXPECT_EQ(name(Family::ipv4, 11, 0), "time-exceeded");
  EXPECT_EQ(name(Family::ipv4, 12, 0), "parameter-problem");
  EXPECT_EQ(name(Family::ipv4, 4, 0), "source-quench");
  EXPECT_EQ(name(Family::ipv4, 5, 0), "other");
  EXPECT_EQ(name(Family::ipv4, 3, 5), "source-route-failed");
  for (const int code : {6, 11}) EXPECT_EQ(name(Family::ipv4, 3, code), "network-unreachable");
  for (const int code : {7, 8, 12}) EXPECT_EQ(name(Family::ipv4, 3, code), "host-unreachable");
  for (const int code : {9, 10, 14, 15}) EXPECT_EQ(name(Family::ipv4, 3, code), "admin-prohibited");
  EXPECT_EQ(name(Family::ipv4, 3, 16), "other");
  EXPECT_EQ(name(Family::ipv6, 1, 2), "beyond-scope");
  EXPECT_EQ(name(Family::ipv6, 1, 5), "admin-prohibited");
  EXPECT_EQ(name(Family::ipv6, 1, 6), "network-unreachable");
  EXPECT_EQ(name(Family::ipv6, 1, 7), "source-route-failed");
  EXPECT_EQ(name(Family::ipv6, 1, 8), "other");
  EXPECT_EQ(name(Family::ipv6, 1, 0), "network-unreachable");
  EXPECT_EQ(name(Family::ipv6, 1, 1), "admin-prohibited");
  EXPECT_EQ(name(Family::ipv6, 1, 3), "host-unreachable");
  EXPECT_EQ(name(Family::ipv6, 1, 4), "port-unreachable");
  EXPECT_EQ(name(Family::ipv6, 2, 0), "fragmentation-needed");
  EXPECT_EQ(name(Family::ipv6, 3, 0), "time-exceeded");
  EXPECT_EQ(name(Family::ipv6, 4, 0), "parameter-problem");
}

}  // namespace
}  // namespace ue::uplink
