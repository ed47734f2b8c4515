#include "uplink/socket_error.h"

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <cstring>

namespace ue::uplink {

namespace {

std::string_view icmp4_unreachable_name(std::uint8_t code) {
  switch (code) {
    case ICMP_NET_UNREACH:
    case ICMP_NET_UNKNOWN:
    case ICMP_NET_UNR_TOS:
      return "network-unreachable";
    case ICMP_HOST_UNREACH:
    case ICMP_HOST_UNKNOWN:
    case ICMP_HOST_ISOLATED:
    case ICMP_HOST_UNR_TOS:
      return "host-unreachable";
    case ICMP_PROT_UNREACH:
      return "protocol-unreachable";
    case ICMP_PORT_UNREACH:
      return "port-unreachable";
    case ICMP_FRAG_NEEDED:
      return "fragmentation-needed";
    case ICMP_NET_ANO:
    case ICMP_HOST_ANO:
    case ICMP_PKT_FILTERED:
    case ICMP_PREC_VIOLATION:
    case ICMP_PREC_CUTOFF:
      return "admin-prohibited";
    case ICMP_SR_FAILED:
      return "source-route-failed";
    default:
      return "other";
  }
}

std::string_view icmp6_unreachable_name(std::uint8_t code) {
  constexpr std::uint8_t kFailedPolicy = 5;  // RFC 4443 §3.1
  constexpr std::uint8_t kRejectRoute = 6;
  constexpr std::uint8_t kSourceRoute = 7;  // RFC 6550 §20.18
  switch (code) {
    case ICMP6_DST_UNREACH_NOROUTE:
    case kRejectRoute:
      return "network-unreachable";
    case ICMP6_DST_UNREACH_ADDR:
      return "host-unreachable";
    case ICMP6_DST_UNREACH_NOPORT:
      return "port-unreachable";
    case ICMP6_DST_UNREACH_BEYONDSCOPE:
      return "beyond-scope";
    case kSourceRoute:
      return "source-route-failed";
    case ICMP6_DST_UNREACH_ADMIN:
    case kFailedPolicy:
      return "admin-prohibited";
    default:
      return "other";
  }
}

/// Control data is not aligned for its contents everywhere, hence the copy.
template <typename T>
bool read_control(const cmsghdr* control, T& out) {
  if (control->cmsg_len < CMSG_LEN(sizeof out)) return false;
  std::memcpy(&out, CMSG_DATA(control), sizeof out);
  return true;
}

/// The offender's sockaddr follows the sock_extended_err (SO_EE_OFFENDER, ip(7)).
IpAddress read_offender(const cmsghdr* control) {
  sockaddr_storage address{};
  const std::size_t have = control->cmsg_len - CMSG_LEN(0);
  if (have <= sizeof(sock_extended_err)) return {};
  std::memcpy(&address, CMSG_DATA(control) + sizeof(sock_extended_err),
              std::min(have - sizeof(sock_extended_err), sizeof address));
  if (address.ss_family != AF_INET && address.ss_family != AF_INET6) return {};
  return Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address)).address;
}

std::optional<sock_extended_err> find_extended_error(const msghdr& message, const cmsghdr*& found) {
  auto& header = const_cast<msghdr&>(message);  // CMSG_NXTHDR is not const-correct
  for (auto* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    const bool v4 = control->cmsg_level == SOL_IP && control->cmsg_type == IP_RECVERR;
    const bool v6 = control->cmsg_level == SOL_IPV6 && control->cmsg_type == IPV6_RECVERR;
    sock_extended_err error{};
    if ((v4 || v6) && read_control(control, error)) {
      found = control;
      return error;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view icmp_name(const IcmpError& error) {
  if (error.family == Family::ipv4) {
    if (error.type == ICMP_DEST_UNREACH) return icmp4_unreachable_name(error.code);
    if (error.type == ICMP_TIME_EXCEEDED) return "time-exceeded";
    if (error.type == ICMP_SOURCE_QUENCH) return "source-quench";
    return error.type == ICMP_PARAMETERPROB ? "parameter-problem" : "other";
  }
  switch (error.type) {
    case ICMP6_DST_UNREACH:
      return icmp6_unreachable_name(error.code);
    case ICMP6_PACKET_TOO_BIG:
      return "fragmentation-needed";
    case ICMP6_TIME_EXCEEDED:
      return "time-exceeded";
    case ICMP6_PARAM_PROB:
      return "parameter-problem";
    default:
      return "other";
  }
}

std::optional<SocketError> parse_error_message(const msghdr& message, ByteView payload) {
  const cmsghdr* control = nullptr;
  const auto extended = find_extended_error(message, control);
  if (!extended) return std::nullopt;
  switch (extended->ee_origin) {
    case SO_EE_ORIGIN_TIMESTAMPING: {
      const auto time = parse_timestamp(message);
      if (!time) return std::nullopt;
      return TxTimestamp{extended->ee_data, *time};
    }
    case SO_EE_ORIGIN_ICMP:
    case SO_EE_ORIGIN_ICMP6: {
      IcmpError error;
      error.family = extended->ee_origin == SO_EE_ORIGIN_ICMP ? Family::ipv4 : Family::ipv6;
      error.type = extended->ee_type;
      error.code = extended->ee_code;
      if (extended->ee_errno == EMSGSIZE) error.mtu = extended->ee_info;
      error.offender = read_offender(control);
      if (message.msg_namelen > 0) {
        error.destination = Endpoint::from_sockaddr(static_cast<const sockaddr*>(message.msg_name));
      }
      error.from_destination = error.offender == error.destination.address;
      error.payload = payload;
      return error;
    }
    case SO_EE_ORIGIN_LOCAL: {
      LocalError error;
      error.code = static_cast<int>(extended->ee_errno);
      if (extended->ee_errno == EMSGSIZE) error.mtu = extended->ee_info;
      return error;
    }
    default:
      return std::nullopt;
  }
}

std::optional<WallTime> parse_timestamp(const msghdr& message) {
  // struct scm_timestamping has three times; the first is the software one. 64 bits wide on every target,
  // because SO_TIMESTAMPING means its _NEW form wherever long is narrower than time_t.
  struct Times {
    std::int64_t value[6];
  };
  auto& header = const_cast<msghdr&>(message);
  for (auto* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    Times times{};
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPING &&
        read_control(control, times)) {
      if (times.value[0] == 0 && times.value[1] == 0) return std::nullopt;
      return WallTime(std::chrono::seconds(times.value[0]) + Nanos(times.value[1]));
    }
  }
  return std::nullopt;
}

}  // namespace ue::uplink
