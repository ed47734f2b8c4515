#include "uplink/bound_socket.h"

#include <fmt/format.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace ue::uplink {

namespace {

constexpr unsigned kTimestamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_TX_SOFTWARE |
                                 SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
constexpr int kPendingErrors = 32;  // how many ICMP errors one call steps over

/// The largest UDP datagram, so that none is ever cut. One for each thread that receives: a gateway has many
/// sockets and little memory. Not in the thread's own storage, which the web server's threads would have,
/// too.
std::array<std::uint8_t, 65536>& thread_buffer() {
  thread_local const auto buffer = std::make_unique<std::array<std::uint8_t, 65536>>();
  return *buffer;
}

/// The parts that recvmsg() and sendmsg() want, in one place on the stack.
struct Message {
  sockaddr_storage address{};
  iovec io{};
  alignas(cmsghdr) std::array<std::uint8_t, 512> control{};
  msghdr header{};

  Message(void* data, std::size_t size) {
    io = {data, size};
    header.msg_iov = &io;
    header.msg_iovlen = 1;
    header.msg_name = &address;
    header.msg_namelen = sizeof address;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
};

bool set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

void read_arrival(msghdr& header, Datagram& datagram) {
  for (auto* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) ||
        (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
      int ttl = 0;
      std::memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
      datagram.ttl = static_cast<std::uint8_t>(ttl);
    } else if (c->cmsg_level == SOL_IP && c->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      datagram.destination = IpAddress::v4(ntohl(info.ipi_addr.s_addr));
    } else if (c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof info);
      std::array<std::uint8_t, 16> address{};
      std::memcpy(address.data(), &info.ipi6_addr, address.size());
      datagram.destination = IpAddress::v6(address);
    }
  }
}

}  // namespace

Result<UdpSocket> UdpSocket::open(const Binding& binding, const UdpOptions& options) {
  const int domain = binding.family == Family::ipv4 ? AF_INET : AF_INET6;
  const int fd = ::socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return errno_error(fmt::format("opening a UDP socket for interface {}", binding.interface), errno);
  UdpSocket socket(fd, binding.family);
  if (auto configured = socket.configure(binding, options); !configured) return Error{configured.error()};
  return socket;
}

Result<std::monostate> UdpSocket::configure(const Binding& binding, const UdpOptions& options) {
  const bool v4 = family_ == Family::ipv4;
  struct Option {
    int level, name, value;
    const char* text;
  };
  const std::array<Option, 4> wanted =
      v4 ? std::array<Option, 4>{{{SOL_IP, IP_RECVERR, 1, "IP_RECVERR"},
                                  {SOL_IP, IP_RECVTTL, 1, "IP_RECVTTL"},
                                  {SOL_IP, IP_PKTINFO, 1, "IP_PKTINFO"},
                                  {SOL_IP, IP_MTU_DISCOVER,
                                   options.dont_fragment ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT,
                                   "IP_MTU_DISCOVER"}}}
         : std::array<Option, 4>{
               {{SOL_IPV6, IPV6_RECVERR, 1, "IPV6_RECVERR"},
                {SOL_IPV6, IPV6_RECVHOPLIMIT, 1, "IPV6_RECVHOPLIMIT"},
                {SOL_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"},
                {SOL_IPV6, IPV6_MTU_DISCOVER,
                 options.dont_fragment ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_WANT, "IPV6_MTU_DISCOVER"}}};
  const auto failed = [&](const char* option) {
    return errno_error(
        fmt::format("setting {} on a probe socket of interface {} (is the kernel older than 4.0?)", option,
                    binding.interface),
        errno);
  };
  if (!v4 && !set(fd_, SOL_IPV6, IPV6_V6ONLY, 1)) return failed("IPV6_V6ONLY");
  for (const auto& option : wanted) {
    if (!set(fd_, option.level, option.name, option.value)) return failed(option.text);
  }
  if (auto bound = bind_to_uplink(fd_, binding); !bound) return bound;
  if (!binding.source) {
    // Bound now, not on the first packet, so that local() knows the port.
    sockaddr_storage any{};
    any.ss_family = static_cast<sa_family_t>(v4 ? AF_INET : AF_INET6);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&any), v4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)) !=
        0) {
      return errno_error(fmt::format("binding a UDP socket of interface {} to a port", binding.interface),
                         errno);
    }
  }
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&name), &size) != 0)
    return errno_error("getsockname", errno);
  local_ = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&name));
  if (!restart_timestamp_ids()) return failed("SO_TIMESTAMPING");
  return std::monostate{};
}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  std::swap(fd_, other.fd_);
  family_ = other.family_;
  local_ = other.local_;
  last_errno_ = other.last_errno_;
  next_id_ = other.next_id_;
  base_id_ = other.base_id_;
  return *this;
}

UdpSocket::~UdpSocket() {
  if (fd_ >= 0) ::close(fd_);
}

bool UdpSocket::restart_timestamp_ids() {
  // The kernel's count begins at 0 when OPT_ID is switched on, and only then.
  base_id_ = next_id_;
  return set(fd_, SOL_SOCKET, SO_TIMESTAMPING, static_cast<int>(kTimestamps)) &&
         set(fd_, SOL_SOCKET, SO_TIMESTAMPING, static_cast<int>(kTimestamps | SOF_TIMESTAMPING_OPT_ID));
}

Result<Sent> UdpSocket::send(ByteView bytes, const Endpoint& to, std::optional<std::uint8_t> ttl) {
  Message message(const_cast<std::uint8_t*>(bytes.data()), bytes.size());
  message.header.msg_namelen = to.to_sockaddr(message.address);
  message.header.msg_controllen = 0;
  if (ttl) {
    const int value = *ttl;
    message.header.msg_controllen = CMSG_SPACE(sizeof value);
    auto* control = CMSG_FIRSTHDR(&message.header);
    control->cmsg_level = family_ == Family::ipv4 ? SOL_IP : SOL_IPV6;
    control->cmsg_type = family_ == Family::ipv4 ? IP_TTL : IPV6_HOPLIMIT;
    control->cmsg_len = CMSG_LEN(sizeof value);
    std::memcpy(CMSG_DATA(control), &value, sizeof value);
  }
  // An ICMP error about an earlier packet is reported to the next call, which then sends nothing: read it
  // away first.
  int pending = 0;
  socklen_t size = sizeof pending;
  (void)getsockopt(fd_, SOL_SOCKET, SO_ERROR, &pending, &size);
  const ssize_t sent = sendmsg(fd_, &message.header, MSG_NOSIGNAL);
  if (sent >= 0) return Sent{static_cast<std::size_t>(sent), next_id_++};
  last_errno_ = errno;
  // Whether the kernel counted a packet that it then refused depends on where it failed: begin a new count.
  (void)restart_timestamp_ids();
  return errno_error(fmt::format("sending from {} to {}", local_.to_string(), to.to_string()), last_errno_);
}

std::optional<Datagram> UdpSocket::receive() {
  auto& buffer = thread_buffer();
  for (int tries = 0; tries < kPendingErrors; ++tries) {
    Message message(buffer.data(), buffer.size());
    const ssize_t size = recvmsg(fd_, &message.header, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EBADF)) return std::nullopt;
    if (size < 0) continue;  // a pending ICMP error, which receive_error() tells in full
    Datagram datagram;
    datagram.bytes = ByteView(buffer).first(static_cast<std::size_t>(size));
    datagram.source = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&message.address));
    read_arrival(message.header, datagram);
    const auto time = parse_timestamp(message.header);
    datagram.received = time ? *time : read_clocks().wall;
    return datagram;
  }
  return std::nullopt;
}

std::optional<SocketError> UdpSocket::receive_error() {
  auto& buffer = thread_buffer();
  while (true) {
    Message message(buffer.data(), buffer.size());
    const ssize_t size = recvmsg(fd_, &message.header, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (size < 0) return std::nullopt;
    auto error = parse_error_message(message.header, ByteView(buffer).first(static_cast<std::size_t>(size)));
    if (!error) continue;
    if (auto* timestamp = std::get_if<TxTimestamp>(&*error)) {
      timestamp->id += base_id_;
      if (static_cast<std::int32_t>(next_id_ - timestamp->id) <= 0) continue;  // of before the last restart
    }
    return error;
  }
}

}  // namespace ue::uplink
