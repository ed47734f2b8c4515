#include "uplink/arrival_tap.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/bytes.h"

namespace ue::uplink {

namespace {

constexpr std::size_t kQuoted = 96;  // octets: any IPv4 header, or IPv6 without options, and UDP's
constexpr std::size_t kMostAtOnce = 256;
constexpr std::size_t kIpv6Header = 40;

/// The kernel's filter, over octets from the IP header on: UDP, first fragment, from that address and port.
class Filter {
 public:
  /// Goes on where the octets loaded by `load` at `offset` are `value`.
  void require(std::uint16_t load, std::uint32_t offset, std::uint32_t value) {
    code_.push_back({static_cast<std::uint16_t>(BPF_LD | load), 0, 0, offset});
    code_.push_back({BPF_JMP | BPF_JEQ | BPF_K, 1, 0, value});
    refuse();
  }
  void require_first_fragment() {
    code_.push_back({BPF_LD | BPF_H | BPF_ABS, 0, 0, 6});
    code_.push_back({BPF_JMP | BPF_JSET | BPF_K, 0, 1, 0x1fff});
    refuse();
  }
  void skip_ipv4_header() { code_.push_back({BPF_LDX | BPF_B | BPF_MSH, 0, 0, 0}); }
  std::vector<sock_filter> finish() {
    code_.push_back({BPF_RET | BPF_K, 0, 0, kQuoted});
    return std::move(code_);
  }

 private:
  void refuse() { code_.push_back({BPF_RET | BPF_K, 0, 0, 0}); }
  std::vector<sock_filter> code_;
};

std::vector<sock_filter> filter_for(const Endpoint& from) {
  Filter filter;
  const auto& address = from.address.bytes();
  if (from.address.is_v4()) {
    filter.require(BPF_B | BPF_ABS, 9, IPPROTO_UDP);
    filter.require(BPF_W | BPF_ABS, 12, from.address.v4_value());
    filter.require_first_fragment();
    filter.skip_ipv4_header();
    filter.require(BPF_H | BPF_IND, 0, from.port);
  } else {
    filter.require(BPF_B | BPF_ABS, 6, IPPROTO_UDP);
    for (std::uint32_t i = 0; i < 16; i += 4) filter.require(BPF_W | BPF_ABS, 8 + i, get_u32(&address[i]));
    filter.require(BPF_H | BPF_ABS, kIpv6Header, from.port);
  }
  return filter.finish();
}

}  // namespace

bool ArrivalTap::permitted() {
  const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0) ::close(fd);
  return fd >= 0;
}

Result<ArrivalTap> ArrivalTap::open(int ifindex, const Endpoint& from) {
  // Without a protocol nothing arrives before the filter is there and the interface is chosen.
  const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno_error("watching packets arrive (it needs CAP_NET_RAW)", errno);
  ArrivalTap tap(fd, from.address.is_v4());
  auto code = filter_for(from);
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(from.address.is_v4() ? ETH_P_IP : ETH_P_IPV6);
  where.sll_ifindex = ifindex;
  if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0)
    return errno_error("watching packets arrive", errno);
  return tap;
}

ArrivalTap::~ArrivalTap() {
  if (fd_ >= 0) close(fd_);
}

std::vector<std::uint16_t> ArrivalTap::take() {
  std::vector<std::uint16_t> ports;
  std::array<std::uint8_t, kQuoted> packet{};
  while (ports.size() < kMostAtOnce) {
    sockaddr_ll from{};
    socklen_t size = sizeof from;
    const auto got =
        recvfrom(fd_, packet.data(), packet.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) break;
    const std::size_t header = ipv4_ ? (packet[0] & 0x0fU) * 4U : kIpv6Header;
    if (from.sll_pkttype != PACKET_HOST || static_cast<std::size_t>(got) < header + 4) continue;
    ports.push_back(get_u16(&packet[header + 2]));
  }
  return ports;
}

}  // namespace ue::uplink
