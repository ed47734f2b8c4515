#include "reflector/ancillary.h"

#include <netinet/in.h>

#include <array>
#include <chrono>
#include <cstring>

namespace ue::reflector {

namespace {

template <typename T>
T read_as(const cmsghdr* c) {
  T value{};
  std::memcpy(&value, CMSG_DATA(c), sizeof value);
  return value;
}

IpAddress address_of(const in6_addr& a) {
  std::array<std::uint8_t, 16> bytes{};
  std::memcpy(bytes.data(), &a, bytes.size());
  return IpAddress::v6(bytes);
}

template <typename T>
std::size_t append(std::span<std::uint8_t> control, std::size_t at, int level, int type, const T& value) {
  auto* c = reinterpret_cast<cmsghdr*>(control.data() + at);
  *c = {CMSG_LEN(sizeof value), level, type};
  std::memcpy(CMSG_DATA(c), &value, sizeof value);
  return at + CMSG_SPACE(sizeof value);
}

}  // namespace

Ancillary read_ancillary(msghdr& message) {
  Ancillary out;
  for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      const auto t = read_as<timespec>(c);
      out.received = WallTime(std::chrono::seconds(t.tv_sec) + Nanos(t.tv_nsec));
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      const auto info = read_as<in_pktinfo>(c);
      out.local = IpAddress::v4(ntohl(info.ipi_spec_dst.s_addr));
      out.unicast = info.ipi_addr.s_addr == info.ipi_spec_dst.s_addr;  // else a group or broadcast address
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      const auto info = read_as<in6_pktinfo>(c);
      out.local = address_of(info.ipi6_addr);
      out.unicast = info.ipi6_addr.s6_addr[0] != 0xff;
      out.interface = info.ipi6_ifindex;
    } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
      out.traffic_class = read_as<std::uint8_t>(c);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
      out.traffic_class = static_cast<std::uint8_t>(read_as<int>(c));
    } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
               (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
      out.ttl = static_cast<std::uint8_t>(read_as<int>(c));
    }
  }
  return out;
}

std::size_t write_ancillary(std::span<std::uint8_t> control, const IpAddress& local, unsigned interface,
                            std::uint8_t traffic_class) {
  const int mark = traffic_class;
  if (local.is_unspecified()) {
    if (mark == 0) return 0;
    return local.is_v4() ? append(control, 0, IPPROTO_IP, IP_TOS, mark)
                         : append(control, 0, IPPROTO_IPV6, IPV6_TCLASS, mark);
  }
  if (local.is_v4()) {
    in_pktinfo info{};  // no interface: routing decides, by the source address where policy rules say so
    info.ipi_spec_dst.s_addr = htonl(local.v4_value());
    const auto end = append(control, 0, IPPROTO_IP, IP_PKTINFO, info);
    return mark == 0 ? end : append(control, end, IPPROTO_IP, IP_TOS, mark);
  }
  in6_pktinfo info{};
  std::memcpy(&info.ipi6_addr, local.bytes().data(), 16);
  info.ipi6_ifindex = local.is_link_local() ? interface : 0;
  const auto end = append(control, 0, IPPROTO_IPV6, IPV6_PKTINFO, info);
  return mark == 0 ? end : append(control, end, IPPROTO_IPV6, IPV6_TCLASS, mark);
}

}  // namespace ue::reflector
