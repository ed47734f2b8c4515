// Many replies held back at once, and how late each comes.
//
//   bench_holds ADDRESS PORT HOLDS SECONDS KEY-ID GATEWAY-ID SECRET      (all three in hexadecimal)
//
// Asks the query channel once, so that replies may be sent here later; then has HOLDS replies held back for
// SECONDS each, asked for evenly over half of that time, so that all wait at once. Prints one line of JSON:
// how many came, and how many within 20 ms of their time, and how late in ms the first, the median, the 99th percentile and the last were, by the kernel's
// receive timestamps.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/hmac.h"
#include "base/time.h"
#include "stamp/packet.h"
#include "stamp/query.h"
#include "stamp/tlv.h"

namespace {

using namespace ue;

constexpr std::uint32_t kPerSession = 64;

struct Key {
  std::uint32_t id;
  std::uint64_t gateway;
  Bytes secret;
};

bool validate(const sockaddr_in& to, const Key& key) {
  stamp::QueryRequest question;
  question.key_id = key.id;
  question.gateway_id = key.gateway;
  const auto body = stamp::encode(question);
  const auto request = "POST " + std::string(stamp::kQueryPath) +
                       " HTTP/1.1\r\nHost: bench\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
                       std::string(stamp::kQueryHeader) + ": " + stamp::sign_request(body, key.secret) +
                       "\r\n\r\n" + body;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  char answer[64]{};
  const bool ok = connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
                  write(fd, request.data(), request.size()) == static_cast<ssize_t>(request.size()) &&
                  read(fd, answer, sizeof answer - 1) > 0 && std::strstr(answer, " 200 ") != nullptr;
  close(fd);
  return ok;
}

Bytes ask(std::uint32_t number, std::uint32_t hold_ms, const Key& key, WallTime now) {
  Bytes packet(stamp::base_size(stamp::Mode::authenticated));
  stamp::SenderPacket base;
  base.sequence = number % kPerSession;
  base.timestamp = stamp::NtpTime::from(now);
  base.error_estimate = stamp::ErrorEstimate::decode(0x8205);
  base.ssid = static_cast<std::uint16_t>(number / kPerSession + 1);
  stamp::encode(base, stamp::Mode::authenticated, packet);
  stamp::sign_base(packet, key.secret);
  stamp::FlowTlv flow;
  flow.key_id = key.id;
  flow.gateway_id = key.gateway;
  flow.flow_id = 0xbe0000 + number / kPerSession;
  flow.hold_ms = hold_ms;
  stamp::append_tlv(packet, stamp::TlvType::flow_control, flow.encode());
  stamp::append_hmac_tlv(packet, stamp::Mode::authenticated, key.secret);
  return packet;
}

/// How late the reply is, in ms: it carries when its request arrived.
double lateness(const msghdr& message, ByteView reply, double hold_ms) {
  timespec arrived{};
  for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(const_cast<msghdr*>(&message), c)) {
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
      std::memcpy(&arrived, CMSG_DATA(c), sizeof arrived);
  }
  const auto packet = stamp::parse_reflector(reply, stamp::Mode::authenticated);
  if (!packet) return 1e9;
  const WallTime at{std::chrono::seconds(arrived.tv_sec) + Nanos(arrived.tv_nsec)};
  return to_seconds(at - packet->receive_timestamp.to_wall()) * 1e3 - hold_ms;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr, "usage: bench_holds ADDRESS PORT HOLDS SECONDS KEY-ID GATEWAY-ID SECRET\n");
    return 2;
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
  inet_pton(AF_INET, argv[1], &to.sin_addr);
  const auto holds = static_cast<std::uint32_t>(std::atoi(argv[3]));
  const auto hold_ms = static_cast<std::uint32_t>(std::atof(argv[4]) * 1e3);
  const Key key{static_cast<std::uint32_t>(std::stoul(argv[5], nullptr, 16)),
                std::stoull(argv[6], nullptr, 16), from_hex(argv[7]).value()};
  if (!validate(to, key)) {
    std::fprintf(stderr, "bench_holds: the query channel does not answer\n");
    return 1;
  }
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  const int buffer = 64 << 20, on = 1;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return 1;

  std::vector<double> late;
  late.reserve(holds);
  const auto take = [&] {
    Bytes reply(2048);
    alignas(cmsghdr) char control[128];
    for (;;) {
      iovec part{reply.data(), reply.size()};
      msghdr message{nullptr, 0, &part, 1, control, sizeof control, 0};
      const auto size = recvmsg(fd, &message, 0);
      if (size < 0) return;
      late.push_back(lateness(message, ByteView(reply).first(static_cast<std::size_t>(size)), hold_ms));
    }
  };
  const auto began = read_clocks().mono;
  const auto elapsed = [&] { return to_seconds(read_clocks().mono - began) * 1e3; };
  for (std::uint32_t sent = 0; sent < holds;) {
    const auto due = static_cast<std::uint32_t>(std::min<double>(holds, holds * elapsed() / (hold_ms / 2.0)));
    for (; sent < due; ++sent) {
      const auto packet = ask(sent, hold_ms, key, read_clocks().wall);
      if (send(fd, packet.data(), packet.size(), 0) < 0) break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::printf("waiting\n");
  std::fflush(stdout);
  // As long again as the last may take, and some seconds more on a busy machine.
  while (late.size() < holds && elapsed() < hold_ms * 2.0 + 10e3) {
    take();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::sort(late.begin(), late.end());
  const auto at = [&](double share) {
    return late.empty() ? 0 : late[static_cast<std::size_t>(static_cast<double>(late.size() - 1) * share)];
  };
  const auto in_time = std::count_if(late.begin(), late.end(), [](double ms) { return std::abs(ms) <= 20; });
  std::printf("{\"in_time\": %zu, \"replies\": %zu, \"first\": %.3f, \"median\": %.3f, \"p99\": %.3f, \"last\": %.3f}\n",
              static_cast<std::size_t>(in_time), late.size(), at(0), at(0.5), at(0.99), at(1));
  return 0;
}
