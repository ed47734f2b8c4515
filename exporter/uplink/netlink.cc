#include "uplink/netlink.h"

#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <new>

namespace ue::uplink {

namespace {

constexpr std::size_t kMessageBuffer = 65536;
constexpr int kDumpAttempts = 3;

/// What one transaction has come to; the callbacks of libnl get a pointer to it.
struct Progress {
  const NetlinkSocket::OnMessage* on_message;
  bool done = false;
  bool interrupted = false;
  int code = 0;  ///< errno
};

int on_valid(nl_msg* message, void* argument) {
  auto* progress = static_cast<Progress*>(argument);
  if ((nlmsg_hdr(message)->nlmsg_flags & NLM_F_DUMP_INTR) != 0) progress->interrupted = true;
  if (*progress->on_message) (*progress->on_message)(nlmsg_hdr(message));
  return NL_OK;
}

int on_end(nl_msg*, void* argument) {
  static_cast<Progress*>(argument)->done = true;
  return NL_STOP;
}

int on_interrupted(nl_msg*, void* argument) {
  static_cast<Progress*>(argument)->interrupted = true;
  return NL_OK;
}

int on_error(sockaddr_nl*, nlmsgerr* error, void* argument) {
  auto* progress = static_cast<Progress*>(argument);
  progress->done = true;
  progress->code = -error->error;
  return NL_STOP;
}

}  // namespace

std::optional<IpAddress> read_address(nlattr* attribute) {
  if (attribute == nullptr) return std::nullopt;
  const auto* data = static_cast<const std::uint8_t*>(nla_data(attribute));
  if (nla_len(attribute) == 4) return IpAddress::v4(get_u32(data));
  if (nla_len(attribute) != 16) return std::nullopt;
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), data, bytes.size());
  return IpAddress::v6(bytes);
}

std::optional<IpAddress> read_gateway(nlattr* gateway, nlattr* via) {
  if (gateway != nullptr || via == nullptr) return read_address(gateway);
  constexpr int kFamilySize = 2;  // struct rtvia
  std::array<std::uint8_t, 16> bytes{};
  if (nla_len(via) != kFamilySize + static_cast<int>(bytes.size())) return std::nullopt;
  std::memcpy(bytes.data(), static_cast<const std::uint8_t*>(nla_data(via)) + kFamilySize, bytes.size());
  return IpAddress::v6(bytes);
}

void for_each_next_hop(nlattr* multipath, const std::function<void(const NextHop&)>& visit) {
  auto* hop = static_cast<rtnexthop*>(nla_data(multipath));
  int rest = nla_len(multipath);
  while (rest >= static_cast<int>(sizeof *hop) && RTNH_OK(hop, rest)) {
    std::array<nlattr*, RTA_MAX + 1> own{};
    if (nla_parse(own.data(), RTA_MAX, reinterpret_cast<nlattr*>(RTNH_DATA(hop)),
                  static_cast<int>(hop->rtnh_len - sizeof *hop), nullptr) == 0) {
      visit({hop->rtnh_ifindex, read_gateway(own[RTA_GATEWAY], own[RTA_VIA]),
             (hop->rtnh_flags & RTNH_F_DEAD) != 0});
    }
    rest -= RTNH_ALIGN(hop->rtnh_len);
    hop = RTNH_NEXT(hop);
  }
}

bool is_default_route(nlmsghdr* message) {
  if (!nlmsg_valid_hdr(message, sizeof(rtmsg))) return false;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  if ((header.rtm_flags & RTM_F_CLONED) != 0) return false;
  if (header.rtm_family != AF_INET && header.rtm_family != AF_INET6) return false;
  if (header.rtm_dst_len == 0) return true;
  if (header.rtm_family != AF_INET6 || header.rtm_dst_len != 3) return false;
  const auto destination = read_address(nlmsg_find_attr(message, sizeof header, RTA_DST));
  return destination && destination->bytes()[0] == 0x20;
}

Request::Request(int type, int flags, const void* header, std::size_t size)
    : message_(nlmsg_alloc_simple(type, NLM_F_REQUEST | flags)) {
  if (!message_ || nlmsg_append(message_.get(), const_cast<void*>(header), size, NLMSG_ALIGNTO) != 0) {
    throw std::bad_alloc();
  }
}

Request& Request::u32(int attribute, std::uint32_t value) {
  if (nla_put_u32(message_.get(), attribute, value) != 0) throw std::bad_alloc();
  return *this;
}

Request& Request::u8(int attribute, std::uint8_t value) {
  if (nla_put_u8(message_.get(), attribute, value) != 0) throw std::bad_alloc();
  return *this;
}

Request& Request::text(int attribute, const std::string& value) {
  if (nla_put_string(message_.get(), attribute, value.c_str()) != 0) throw std::bad_alloc();
  return *this;
}

Request& Request::address(int attribute, const IpAddress& value) {
  if (nla_put(message_.get(), attribute, value.is_v4() ? 4 : 16, value.bytes().data()) != 0)
    throw std::bad_alloc();
  return *this;
}

Result<NetlinkSocket> NetlinkSocket::open() {
  NetlinkSocket socket(nl_socket_alloc());
  if (!socket.socket_) return Error{"opening a netlink socket: out of memory"};
  nl_sock* s = socket.socket_.get();
  if (const int code = nl_connect(s, NETLINK_ROUTE); code != 0) {
    return Error{std::string("opening a netlink socket: ") + nl_geterror(code) +
                 " (a sandbox must allow the address family AF_NETLINK)"};
  }
  // Large fixed buffer and no peeking: half the system calls of a dump. Strict checking lets the kernel
  // filter dumps; without it (before Linux 4.20) we filter ourselves.
  nl_socket_disable_msg_peek(s);
  nl_socket_set_msg_buf_size(s, kMessageBuffer);
  const int on = 1;
  (void)setsockopt(nl_socket_get_fd(s), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  const timeval limit{5, 0};  // the kernel answers at once or never
  (void)setsockopt(nl_socket_get_fd(s), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return socket;
}

int NetlinkSocket::transact(const Request& request, const OnMessage& on_message,
                            const std::function<void()>& restart) {
  int code = 0;
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    if (restart) restart();
    code = transact_once(request.get(), on_message);
    if (code != EINTR) return code;
  }
  return code;
}

int NetlinkSocket::transact_once(nl_msg* message, const OnMessage& on_message) {
  nl_sock* s = socket_.get();
  Progress progress{&on_message};
  nl_socket_modify_cb(s, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &progress);
  nl_socket_modify_cb(s, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &progress);
  nl_socket_modify_cb(s, NL_CB_ACK, NL_CB_CUSTOM, on_end, &progress);
  nl_socket_modify_cb(s, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, &progress);
  nl_socket_modify_err_cb(s, NL_CB_CUSTOM, on_error, &progress);
  // A message that is sent again needs a new sequence number, or libnl takes the answer for an old one.
  nlmsg_hdr(message)->nlmsg_seq = NL_AUTO_SEQ;
  if (nl_send_auto(s, message) < 0) return errno != 0 ? errno : EIO;
  while (!progress.done) {
    if (const int code = nl_recvmsgs_default(s); code < 0 && !progress.done) {
      return code == -NLE_AGAIN ? ETIMEDOUT : EIO;
    }
  }
  return progress.code != 0 ? progress.code : progress.interrupted ? EINTR : 0;
}

}  // namespace ue::uplink
