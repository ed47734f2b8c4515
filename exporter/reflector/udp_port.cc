#include "reflector/udp_port.h"

#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "reflector/ancillary.h"
#include "reflector/error_queue.h"
#include "reflector/shard_choice.h"

namespace ue::reflector {

namespace {

/// A burst of probes must not be lost here. Without CAP_NET_ADMIN the kernel caps it at rmem_max.
constexpr int kReceiveBuffer = 4 << 20;
constexpr std::size_t kErrorsAtOnce = 16;
constexpr int kBatchesAtOnce = 8;  // before the loop looks at its timers again

bool enable(int fd, int level, int option) {
  const int on = 1;
  return setsockopt(fd, level, option, &on, sizeof on) == 0;
}

/// Joins the sockets of one port, of which the first brings the program that chooses among them.
bool join_shards(int fd, ShardNumber shard) {
  if (shard.count == 1) return true;
  if (!enable(fd, SOL_SOCKET, SO_REUSEPORT)) return false;
  if (shard.own != 0) return true;
  auto program = shard_choice(shard.count);
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &filter, sizeof filter) == 0;
}

/// Where the socket has one address the kernel need not be asked which one was meant, nor told what to answer
/// from.
bool set_options(int fd, const IpAddress& listen) {
  const bool any = listen.is_unspecified();
  const int size = kReceiveBuffer;
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (!enable(fd, SOL_SOCKET, SO_TIMESTAMPNS) || !keep_icmp_errors(fd, listen.is_v4())) return false;
  if (!listen.is_v4()) {
    return enable(fd, IPPROTO_IPV6, IPV6_V6ONLY) && (!any || enable(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO)) &&
           enable(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT) && enable(fd, IPPROTO_IPV6, IPV6_RECVTCLASS);
  }
  return (!any || enable(fd, IPPROTO_IP, IP_PKTINFO)) && enable(fd, IPPROTO_IP, IP_RECVTTL) &&
         enable(fd, IPPROTO_IP, IP_RECVTOS);
}

}  // namespace

/// Reused for every batch; one octet more than kMaxDatagram, so that what is too long is seen to be. A reply
/// is written over its request: what is not touched need not be fetched.
struct UdpPort::Buffers {
  struct alignas(cmsghdr) Control {
    std::array<std::uint8_t, kControlSize> octets;
  };
  std::array<std::array<std::uint8_t, kMaxDatagram + 1>, kBatch> octets;
  std::array<sockaddr_storage, kBatch> sources;
  std::array<Control, kBatch> in_control;
  std::array<iovec, kBatch> in_parts;
  std::array<mmsghdr, kBatch> in_messages;

  void reset() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      in_parts[i] = {octets[i].data(), octets[i].size()};
      in_messages[i] = {};
      auto& header = in_messages[i].msg_hdr;
      header.msg_name = &sources[i];
      header.msg_namelen = sizeof sources[i];
      header.msg_iov = &in_parts[i];
      header.msg_iovlen = 1;
      header.msg_control = in_control[i].octets.data();
      header.msg_controllen = kControlSize;
    }
  }
};

Error listen_error(const std::string& what, int code) {
  auto error = errno_error(what, code);
  if (code == EADDRINUSE) {
    error.message += "; find the program that has the port with: ss -lunpt, or listen on another port";
  } else if (code == EACCES || code == EPERM) {
    error.message +=
        "; ports below 1024 need CAP_NET_BIND_SERVICE (AmbientCapabilities= in the systemd unit), or "
        "listen on a higher port";
  } else if (code == EADDRNOTAVAIL) {
    error.message += "; no interface of this machine has that address (0.0.0.0 and [::] mean every one)";
  } else if (code == EAFNOSUPPORT) {
    error.message += "; this kernel has that family switched off: take the address out of 'listen'";
  }
  return error;
}

Result<std::unique_ptr<UdpPort>> UdpPort::open(boost::asio::io_context& loop, const Endpoint& listen,
                                               ShardNumber shard, GuardedCore& core, std::uint32_t number,
                                               Hooks hooks) {
  const std::string what = "cannot listen on udp " + listen.to_string();
  const bool v6 = !listen.address.is_v4();
  const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return listen_error(what, errno);
  sockaddr_storage address{};
  auto size = listen.to_sockaddr(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  if (!set_options(fd, listen.address) || !join_shards(fd, shard) || bind(fd, raw, size) != 0 ||
      getsockname(fd, raw, &size) != 0) {
    const int code = errno;
    close(fd);
    return listen_error(what, code);
  }
  return std::unique_ptr<UdpPort>(
      new UdpPort(loop, fd, Endpoint::from_sockaddr(raw), core, number, std::move(hooks)));
}

UdpPort::UdpPort(boost::asio::io_context& loop, int fd, const Endpoint& local, GuardedCore& core,
                 std::uint32_t number, Hooks hooks)
    : socket_(loop, fd),
      local_(local),
      any_(local.address.is_v4() ? IpAddress() : IpAddress::v6({})),
      core_(core),
      number_(number),
      hooks_(std::move(hooks)),
      buffers_(std::make_unique<Buffers>()) {}

UdpPort::~UdpPort() = default;

void UdpPort::start() { wait(); }

void UdpPort::wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (error) return;  // closed: `this` is gone
                       serve();
                       wait();
                     });
}

void UdpPort::serve() {
  for (int i = 0; i < kBatchesAtOnce; ++i) {
    const auto received = receive();
    if (received == 0) break;
    answer(received);
    transmit();
    if (received < kBatch) break;  // nothing more was there
  }
  take_errors();
  hooks_.after_batch();
}

std::size_t UdpPort::receive() {
  buffers_->reset();
  int received = 0;
  do {
    received = recvmmsg(socket_.native_handle(), buffers_->in_messages.data(), kBatch, 0, nullptr);
    icmp_waits_ = icmp_waits_ || (received < 0 && is_icmp_errno(errno));
  } while (received < 0 && (errno == EINTR || is_icmp_errno(errno)));
  if (received >= 0) return static_cast<std::size_t>(received);
  if (errno != EAGAIN && errno != EWOULDBLOCK && ++counters_.receive_errors == 1) {
    log::warn("REFLECTOR_RECEIVE_FAILED", "{}",
              errno_error("receiving on udp " + local_.to_string(), errno).message);
  }
  return 0;
}

/// Hands the batch to the core and gathers its replies.
void UdpPort::answer(std::size_t received) {
  auto& b = *buffers_;
  const std::lock_guard lock(core_.mutex);
  ++counters_.batches;
  const auto now = read_clocks();
  std::uint64_t octets = 0;
  for (std::size_t i = 0; i < received; ++i) {
    auto& message = b.in_messages[i];
    octets += message.msg_len;
    const auto ancillary = read_ancillary(message.msg_hdr);
    if (!ancillary.unicast) {
      ++counters_.not_unicast;
      continue;
    }
    Datagram datagram;
    datagram.bytes = ByteView(b.octets[i]).first(message.msg_len);
    datagram.source = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&b.sources[i]));
    datagram.local = {ancillary.local.value_or(local_.address), local_.port};
    datagram.ttl = ancillary.ttl;
    datagram.traffic_class = ancillary.traffic_class;
    datagram.received = ancillary.received.value_or(now.wall);
    datagram.socket = number_;
    datagram.interface = ancillary.interface;
    if (!datagram.source.address.is_v4())
      datagram.scope = reinterpret_cast<const sockaddr_in6*>(&b.sources[i])->sin6_scope_id;
    const auto reply = core_.core.handle(now, datagram, b.octets[i]);
    if (!reply) continue;
    replies_.add(std::span(b.octets[i]).first(reply->bytes.size()),
                 {&b.sources[i], message.msg_hdr.msg_namelen, ancillary.local.value_or(any_),
                  ancillary.interface, reply->traffic_class});
  }
  counters_.received_bytes += octets;
}

void UdpPort::transmit() {
  const auto sent = replies_.send(socket_.native_handle());
  counters_.sent_bytes += sent.octets;
  icmp_waits_ = icmp_waits_ || sent.icmp_waits;
  if (sent.failed == 0) return;
  if (counters_.send_errors == 0) {
    log::warn("REFLECTOR_SEND_FAILED", "{}; such replies are counted and dropped",
              errno_error("replying on udp " + local_.to_string(), sent.error).message);
  }
  counters_.send_errors += sent.failed;
}

/// Looked for only where a call has told of one: the fast path pays nothing for it.
void UdpPort::take_errors() {
  if (!icmp_waits_) return;
  icmp_waits_ = take_icmp_errors(socket_.native_handle(), kErrorsAtOnce, hooks_.reply_error) == kErrorsAtOnce;
}

std::uint64_t UdpPort::kernel_drops() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t size = sizeof memory;
  if (getsockopt(const_cast<UdpPort*>(this)->socket_.native_handle(), SOL_SOCKET, SO_MEMINFO, memory.data(),
                 &size) != 0)
    return 0;
  return memory[SK_MEMINFO_DROPS];
}

void UdpPort::send_late(const ReflectorCore::Late& late, std::span<std::uint8_t> octets) {
  const auto& request = *late.request;
  sockaddr_storage to{};
  const auto size = request.source.to_sockaddr(to);
  if (!request.source.address.is_v4()) reinterpret_cast<sockaddr_in6*>(&to)->sin6_scope_id = request.scope;
  const bool any = local_.address.is_unspecified();
  replies_.add(octets.first(late.reply.bytes.size()),
               {&to, size, any ? request.local.address : any_, request.interface, late.reply.traffic_class});
  transmit();
}

}  // namespace ue::reflector
