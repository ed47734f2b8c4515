// lab_flood ADDRESS PORT COUNT SEED: COUNT random datagrams with borrowed source addresses (10.0.0.0/8) for a
// reflector there, as fast as it reads them. After each window an honest packet for every shard must be
// answered, so that none is lost in a full socket: what was sent was seen. Needs root. Prints "N packets, M
// windows unanswered".
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t kWindow =
    96;  // all of them fit into the receive buffer that the kernel allows by default
constexpr std::size_t kHead = sizeof(iphdr) + sizeof(udphdr);
constexpr std::size_t kMaxPayload = 1472;
constexpr std::uint16_t kSsids = 4;  // honest packets; between them they meet every shard
constexpr std::size_t kBase = 44;
constexpr std::size_t kSignedBase = 112;

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

void put32(std::uint8_t* p, std::uint32_t v) {
  v = htonl(v);
  std::memcpy(p, &v, sizeof v);
}

/// Marsaglia's xorshift64: of its numbers only speed and variety are asked here.
struct Random {
  std::uint64_t state;
  std::uint64_t operator()() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
};

/// Splits what follows a base packet into TLVs whose lengths mostly fit.
void shape_tlvs(std::uint8_t* at, std::size_t left, Random& random) {
  constexpr std::array<std::uint8_t, 16> kTypes{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 99, 240, 240, 252, 0};
  while (left >= 4) {
    const auto length = std::min<std::size_t>(left - 4, random() % 48);
    at[0] = 0x80;
    at[1] = kTypes[random() % kTypes.size()];
    at[2] = 0;
    at[3] = static_cast<std::uint8_t>(random() % 64 == 0 ? 200 : length);
    at += 4 + length;
    left -= 4 + length;
  }
}

/// A datagram of random octets; three of four are given a shape, so that they get further than the first
/// look.
class Datagram {
 public:
  void draw(Random& random, in_addr to, std::uint16_t port) {
    auto size = random() % 32 == 0 ? random() % (kMaxPayload + 1) : random() % 256;
    auto* payload = octets_.data() + kHead;
    const auto shape = random() % 4;
    if (shape == 1 && size < kBase) size += kBase;
    if (shape >= 2 && size < kSignedBase) size += kSignedBase;
    for (std::size_t i = 0; i < size; i += 8) {
      const std::uint64_t word = random();
      std::memcpy(payload + i, &word, sizeof word);
    }
    if (shape == 1) {  // unauthenticated: the octets that must be zero are
      std::memset(payload + 16, 0, 28);
      payload[13] |= 1;
      shape_tlvs(payload + kBase, size - kBase, random);
    } else if (shape >= 2) {  // authenticated, with a signature that nobody made
      std::memset(payload + 4, 0, 12);
      std::memset(payload + 28, 0, 68);
      payload[25] |= 1;
      shape_tlvs(payload + kSignedBase, size - kSignedBase, random);
    }
    iphdr ip{};
    ip.version = 4;
    ip.ihl = 5;
    ip.ttl = 61;
    ip.protocol = IPPROTO_UDP;
    ip.tot_len = htons(static_cast<std::uint16_t>(kHead + size));
    ip.saddr = htonl(0x0a000000U | (static_cast<std::uint32_t>(random()) & 0xffffffU));
    ip.daddr = to.s_addr;
    udphdr udp{};
    udp.source = htons(static_cast<std::uint16_t>(random()));
    udp.dest = htons(port);
    udp.len = htons(static_cast<std::uint16_t>(sizeof udp + size));
    std::memcpy(octets_.data(), &ip, sizeof ip);
    std::memcpy(octets_.data() + sizeof ip, &udp, sizeof udp);
    part_ = {octets_.data(), kHead + size};
  }
  iovec* part() { return &part_; }

 private:
  std::array<std::uint8_t, kHead + kMaxPayload + 8> octets_{};
  iovec part_{};
};

/// An honest sender without a key, one session for each SSID.
class Honest {
 public:
  explicit Honest(const sockaddr_in& to) : socket_(socket(AF_INET, SOCK_DGRAM, 0)) {
    if (socket_ < 0 || connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
      fail("connect");
  }
  /// Whether all sessions were answered within a second.
  bool answered() {
    std::array<std::uint8_t, kBase> packet{};
    put32(packet.data(), sequence_);
    put32(&packet[4], 0xee000000);
    packet[12] = 0x92;
    packet[13] = 0x40;
    for (std::uint16_t ssid = 0; ssid < kSsids; ++ssid) {
      packet[15] = static_cast<std::uint8_t>(ssid);
      if (send(socket_, packet.data(), packet.size(), 0) < 0) fail("send");
    }
    unsigned seen = 0;
    pollfd ready{socket_, POLLIN, 0};
    while (seen != (1U << kSsids) - 1 && poll(&ready, 1, 1000) == 1) {
      std::array<std::uint8_t, 2048> reply{};
      const auto size = recv(socket_, reply.data(), reply.size(), 0);
      if (size == kBase && std::memcmp(&reply[24], packet.data(), 4) == 0) seen |= 1U << reply[15];
    }
    ++sequence_;
    return seen == (1U << kSsids) - 1;
  }

 private:
  int socket_;
  std::uint32_t sequence_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
    std::fprintf(stderr, "usage: lab_flood ADDRESS PORT COUNT SEED\n");
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
  const auto count = static_cast<std::uint64_t>(std::atoll(argv[3]));
  to.sin_port = htons(port);
  Honest honest(to);
  Random random{0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(std::atoll(argv[4]))};
  const int raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
  if (raw < 0) fail("raw socket");
  auto destination = to;
  destination.sin_port = 0;
  static std::array<Datagram, kWindow> datagrams;
  std::array<mmsghdr, kWindow> messages{};
  for (std::size_t i = 0; i < kWindow; ++i) {
    messages[i].msg_hdr.msg_name = &destination;
    messages[i].msg_hdr.msg_namelen = sizeof destination;
    messages[i].msg_hdr.msg_iov = datagrams[i].part();
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  std::uint64_t sent = 0;
  std::uint64_t unanswered = 0;
  while (sent < count) {
    for (auto& d : datagrams) d.draw(random, to.sin_addr, port);
    for (std::size_t done = 0; done < kWindow;) {
      const int now = sendmmsg(raw, &messages[done], static_cast<unsigned>(kWindow - done), 0);
      if (now < 0) fail("sendmmsg");
      done += static_cast<std::size_t>(now);
    }
    sent += kWindow;
    if (!honest.answered()) ++unanswered;
  }
  std::printf("%llu packets, %llu windows unanswered\n", static_cast<unsigned long long>(sent),
              static_cast<unsigned long long>(unanswered));
  return 0;
}
