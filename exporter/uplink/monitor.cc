#include "uplink/monitor.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ue::uplink {

namespace {

constexpr std::size_t kMessage = 65536;  // a link with hundreds of virtual functions is the largest event
constexpr int kEventBuffer = 2 << 20;    // some two thousand events, of which each takes about 1 KiB

Error failed(const char* what, int code) {
  return Error{errno_error(std::string("watching the kernel's network events: ") + what, code).message +
               " (a sandbox must allow the address family AF_NETLINK)"};
}

}  // namespace

Monitor& Monitor::operator=(Monitor&& other) noexcept {
  std::swap(fd_, other.fd_);
  interest_ = std::move(other.interest_);
  buffer_ = std::move(other.buffer_);
  overruns_ = other.overruns_;
  received_ = other.received_;
  return *this;
}

Monitor::~Monitor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Monitor> Monitor::open() {
  Monitor monitor(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (monitor.fd_ < 0) return failed("opening a socket", errno);
  // Without CAP_NET_ADMIN net.core.rmem_max is the limit.
  if (setsockopt(monitor.fd_, SOL_SOCKET, SO_RCVBUFFORCE, &kEventBuffer, sizeof kEventBuffer) != 0) {
    (void)setsockopt(monitor.fd_, SOL_SOCKET, SO_RCVBUF, &kEventBuffer, sizeof kEventBuffer);
  }
  monitor.watch({});  // before the first event can come
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(monitor.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed("binding the socket", errno);
  }
  constexpr std::array kGroups{RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                               RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                               RTNLGRP_IPV6_RULE,  RTNLGRP_NEIGH,       RTNLGRP_NEXTHOP};
  for (const int group : kGroups) {
    const int code =
        setsockopt(monitor.fd_, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0 ? errno : 0;
    // Kernels before 5.3 have no next-hop objects.
    if (code != 0 && group != RTNLGRP_NEXTHOP) return failed("joining a group", code);
  }
  monitor.buffer_.resize(kMessage);
  return monitor;
}

void Monitor::watch(Interest interest) {
  auto program = event_filter(interest);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  // Where the kernel takes no filter it wakes us more often; classify() is exact by itself.
  if (setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) != 0) {
    (void)setsockopt(fd_, SOL_SOCKET, SO_DETACH_FILTER, nullptr, 0);
  }
  interest_ = std::move(interest);
}

Changes Monitor::drain() {
  Changes changes;
  while (true) {
    const auto got = ::recv(fd_, buffer_.data(), buffer_.size(), MSG_TRUNC);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno != ENOBUFS) return changes;
      ++overruns_;
      changes = Changes::everything();
      continue;
    }
    // Of a message that is too long the rest is lost, and with it what it said.
    if (static_cast<std::size_t>(got) > buffer_.size()) {
      changes = Changes::everything();
      continue;
    }
    auto* message = reinterpret_cast<nlmsghdr*>(buffer_.data());
    for (auto rest = static_cast<unsigned>(got); NLMSG_OK(message, rest);
         message = NLMSG_NEXT(message, rest)) {
      ++received_;
      changes |= classify(message, interest_);
    }
  }
}

}  // namespace ue::uplink
