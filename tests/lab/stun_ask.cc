// lab_stun ADDRESS PORT: one Binding Request through the agent's own codec. Prints the answer as lines `NAME
// VALUE`; 1 where none comes within the usual retransmissions. What a router in between makes of the port is
// printed as `mapped`.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "stun/binding.h"

using namespace ue;

namespace {

std::optional<stun::BindingResponse> ask(int socket, const Endpoint& server) {
  const auto id = stun::random_transaction_id();
  const auto request = stun::encode_binding_request(id);
  sockaddr_storage to{};
  const auto size = server.to_sockaddr(to);
  for (int wait = 500; wait <= 8000; wait *= 2) {  // RFC 8489 §6.2.1
    if (sendto(socket, request.data(), request.size(), 0, reinterpret_cast<const sockaddr*>(&to), size) < 0)
      std::perror("sendto");
    pollfd ready{socket, POLLIN, 0};
    std::array<std::uint8_t, 2048> datagram{};
    while (poll(&ready, 1, wait) == 1) {
      const auto got = recv(socket, datagram.data(), datagram.size(), 0);
      if (got < 0) break;
      if (auto response =
              stun::parse_binding_response(ByteView(datagram).first(static_cast<std::size_t>(got)), id))
        return response;
    }
  }
  return std::nullopt;
}

void print(const char* name, const std::optional<Endpoint>& endpoint) {
  if (endpoint) std::printf("%s %s\n", name, endpoint->to_string().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const auto address = argc == 3 ? IpAddress::parse(argv[1]) : std::nullopt;
  if (!address) {
    std::fprintf(stderr, "usage: lab_stun ADDRESS PORT\n");
    return 2;
  }
  const int fd = socket(address->is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  const auto response = ask(fd, {*address, static_cast<std::uint16_t>(std::atoi(argv[2]))});
  if (!response) return 1;
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size);
  std::printf("port %u\n", unsigned{Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&own)).port});
  print("mapped", response->mapped);
  std::printf("xor %d\n", response->xor_mapped ? 1 : 0);
  print("origin", response->response_origin);
  print("other", response->other_address);
  if (response->error) std::printf("error %d\n", response->error->code);
  close(fd);
  return 0;
}
