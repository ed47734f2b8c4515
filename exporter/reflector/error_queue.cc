#include "reflector/error_queue.h"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "reflector/ancillary.h"

namespace ue::reflector {

namespace {

constexpr std::size_t kQuoted = 256;  // of a reply: its base packet with its HMAC, and some more

/// The extended error among a message's control data, with the offender's address behind it (ip(7)); false
/// where it is no ICMP error.
bool read_extended_error(msghdr& message, IcmpAboutReply& out) {
  for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    const bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    const bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    const std::size_t size = c->cmsg_len - CMSG_LEN(0);
    sock_extended_err error{};
    if ((!v4 && !v6) || size < sizeof error) continue;
    std::memcpy(&error, CMSG_DATA(c), sizeof error);
    if (error.ee_origin != SO_EE_ORIGIN_ICMP && error.ee_origin != SO_EE_ORIGIN_ICMP6) return false;
    sockaddr_storage offender{};
    std::memcpy(&offender, CMSG_DATA(c) + sizeof error, std::min(size - sizeof error, sizeof offender));
    if (offender.ss_family != AF_INET && offender.ss_family != AF_INET6) return false;
    out.type = error.ee_type;
    out.code = error.ee_code;
    out.offender = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&offender)).address;
    return true;
  }
  return false;
}

}  // namespace

bool keep_icmp_errors(int fd, bool v4) {
  const int on = 1;
  return setsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_RECVERR : IPV6_RECVERR, &on, sizeof on) == 0;
}

std::size_t take_icmp_errors(int fd, std::size_t most,
                             const std::function<void(const IcmpAboutReply&)>& tell) {
  std::size_t taken = 0;
  for (; taken < most; ++taken) {
    std::array<std::uint8_t, kQuoted> quoted;
    alignas(cmsghdr) std::array<std::uint8_t, 512> control;
    sockaddr_storage destination{};
    iovec part{quoted.data(), quoted.size()};
    msghdr message{};
    message.msg_name = &destination;
    message.msg_namelen = sizeof destination;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0) break;
    IcmpAboutReply error;
    if (!read_extended_error(message, error) || message.msg_namelen == 0) continue;
    error.ttl = read_ancillary(message).ttl;
    error.destination = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&destination));
    error.reply = ByteView(quoted).first(static_cast<std::size_t>(size));
    tell(error);
  }
  return taken;
}

bool is_icmp_errno(int code) {
  return code == ECONNREFUSED || code == EHOSTUNREACH || code == ENETUNREACH || code == EHOSTDOWN ||
         code == ENOPROTOOPT || code == EPROTO || code == EOPNOTSUPP || code == EACCES || code == EMSGSIZE;
}

}  // namespace ue::reflector
