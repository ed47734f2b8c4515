// The least that a UDP server can do: recvmmsg, sendmmsg, nothing else. The limit that the reflector is
// compared with.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr unsigned kBatch = 64;
constexpr std::size_t kSize = 1501;

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_echo ADDRESS PORT\n");
    return 2;
  }
  sockaddr_in local{};
  local.sin_family = AF_INET;
  local.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  const int buffer = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  if (inet_pton(AF_INET, argv[1], &local.sin_addr) != 1 ||
      bind(fd, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0) {
    std::perror("bench_echo");
    return 1;
  }
  static std::array<std::array<std::uint8_t, kSize>, kBatch> octets;
  static std::array<sockaddr_in, kBatch> peers;
  std::array<iovec, kBatch> parts;
  std::array<mmsghdr, kBatch> messages{};
  for (;;) {
    for (unsigned i = 0; i < kBatch; ++i) {
      parts[i] = {octets[i].data(), kSize};
      messages[i] = {{&peers[i], sizeof peers[i], &parts[i], 1, nullptr, 0, 0}, 0};
    }
    const int received = recvmmsg(fd, messages.data(), kBatch, MSG_WAITFORONE, nullptr);
    if (received <= 0) continue;
    for (int i = 0; i < received; ++i) parts[i].iov_len = messages[i].msg_len;
    for (int done = 0; done < received;) {
      const int sent = sendmmsg(fd, &messages[done], static_cast<unsigned>(received - done), 0);
      done += sent > 0 ? sent : 1;
    }
  }
}
