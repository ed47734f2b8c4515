// A closed loop of UDP requests: as many are on the way as the window says, each reply lets the next one go.
// All requests are written before the clock starts, so that the generator's own work is the kernel's alone.
//
//   bench_load KIND ADDRESS PORT SESSIONS SECONDS REQUESTS WINDOW FIRST [KEY-IN-HEX]
//
// Sessions come from four ports that are the same in every run; their sequence numbers begin with FIRST.
// WINDOW is how many requests are on the way. KIND is base (STAMP unauthenticated), auth (STAMP
// authenticated, signed with KEY) or stun (binding request). Prints one line of JSON: replies, seconds, and
// this program's CPU seconds meanwhile.
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"
#include "stamp/packet.h"
#include "stun/binding.h"

namespace {

using namespace ue;

constexpr std::size_t kSockets = 4;
constexpr std::size_t kBatch = 64;
constexpr std::uint16_t kFirstPort = 20'000;
/// Between two looks, so that the generator's core is never the one that is short.
constexpr auto kNap = std::chrono::microseconds(60);
constexpr double kSilence = 0.1;  // seconds after which what is missing is taken to be lost

struct Request {
  std::array<std::uint8_t, stamp::kAuthenticatedSize> octets;
  std::size_t size;
};

/// Sessions take turns; each counts its own sequence numbers from `first`.
Request request(const std::string& kind, std::size_t number, std::size_t sessions, std::uint32_t first,
                ByteView key) {
  Request r{};
  if (kind == "stun") {
    stun::TransactionId id{};
    put_u64(id.data(), number);
    const auto message = stun::encode_binding_request(id);
    r.size = message.size();
    std::memcpy(r.octets.data(), message.data(), r.size);
    return r;
  }
  const auto mode = kind == "auth" ? stamp::Mode::authenticated : stamp::Mode::unauthenticated;
  stamp::SenderPacket packet;
  packet.sequence = first + static_cast<std::uint32_t>(number / sessions);
  packet.timestamp = {0xee000000, static_cast<std::uint32_t>(number)};
  packet.error_estimate = stamp::ErrorEstimate::decode(0x8205);
  packet.ssid = static_cast<std::uint16_t>(number % sessions + 1);
  r.size = stamp::base_size(mode);
  stamp::encode(packet, mode, std::span(r.octets).first(r.size));
  if (mode == stamp::Mode::authenticated) stamp::sign_base(std::span(r.octets).first(r.size), key);
  return r;
}

class Flow {
 public:
  Flow(const sockaddr_in& to, std::uint16_t port, std::vector<Request> requests, bool together)
      : requests_(std::move(requests)), together_(together) {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const int buffer = 4 << 20;
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
    setsockopt(fd_, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
    const int on = 1;
    if (together_) setsockopt(fd_, SOL_UDP, UDP_GRO, &on, sizeof on);
    sockaddr_in from = to;
    from.sin_port = htons(port);
    if (bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0 ||
        connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      std::perror("bench_load");
      std::exit(1);
    }
  }
  std::size_t sent() const { return next_; }
  bool exhausted() const { return next_ == requests_.size(); }
  std::uint64_t replies = 0;

  /// In one pass through the kernel's stack, so that the generator's core is not the one that is short.
  void send(std::size_t count) {
    std::array<iovec, kBatch> parts;
    while (count > 0 && !exhausted()) {
      const auto n = std::min({count, kBatch, requests_.size() - next_});
      for (std::size_t i = 0; i < n; ++i)
        parts[i] = {requests_[next_ + i].octets.data(), requests_[next_ + i].size};
      const auto size = static_cast<std::uint16_t>(requests_[next_].size);
      alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof size)> control{};
      msghdr message{nullptr, 0, parts.data(), n, control.data(), control.size(), 0};
      auto* c = CMSG_FIRSTHDR(&message);
      *c = {CMSG_LEN(sizeof size), SOL_UDP, UDP_SEGMENT};
      std::memcpy(CMSG_DATA(c), &size, sizeof size);
      if (sendmsg(fd_, &message, 0) < 0) return;
      next_ += n;
      count -= n;
    }
  }
  /// Takes what has come, without looking at it, and sends as many again; false where there was nothing.
  bool turn() {
    std::array<mmsghdr, kBatch> messages{};
    const int received = recvmmsg(fd_, messages.data(), kBatch, MSG_TRUNC, nullptr);
    if (received <= 0) return false;
    // Replies that were sent together come together (UDP_GRO); those of STAMP are as long as their requests.
    std::size_t came = 0;
    for (int i = 0; i < received; ++i) came += together_ ? messages[i].msg_len / requests_.front().size : 1;
    replies += came;
    send(came);
    return true;
  }

 private:
  int fd_ = -1;
  std::size_t next_ = 0;
  std::vector<Request> requests_;
  bool together_;  ///< replies have the length of requests, and may come several at once
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 9) {
    std::fprintf(
        stderr,
        "usage: bench_load base|auth|stun ADDRESS PORT SESSIONS SECONDS REQUESTS WINDOW FIRST [KEY]\n");
    return 2;
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[3])));
  inet_pton(AF_INET, argv[2], &to.sin_addr);
  const auto sessions = static_cast<std::size_t>(std::atoll(argv[4])) / kSockets + 1;
  const double seconds = std::atof(argv[5]);
  const auto requests = static_cast<std::size_t>(std::atoll(argv[6])) / kSockets;
  const auto window = static_cast<std::size_t>(std::atoll(argv[7])) / kSockets;
  const auto first = static_cast<std::uint32_t>(std::atoll(argv[8]));
  const auto key = from_hex(argc > 9 ? argv[9] : "").value_or(Bytes{});

  std::vector<Flow> flows;
  for (std::size_t i = 0; i < kSockets; ++i) {
    std::vector<Request> all;
    all.reserve(requests);
    for (std::size_t n = 0; n < requests; ++n) all.push_back(request(argv[1], n, sessions, first, key));
    flows.emplace_back(to, static_cast<std::uint16_t>(kFirstPort + i), std::move(all),
                       std::strcmp(argv[1], "stun") != 0);
  }
  std::printf("ready\n");
  std::fflush(stdout);
  if (std::getchar() == EOF) return 1;  // whoever started us says when

  prctl(PR_SET_TIMERSLACK, 1000);  // a nap is to be no longer than said
  const double cpu = cpu_seconds();
  const auto began = read_clocks().mono;
  auto elapsed = [&] { return to_seconds(read_clocks().mono - began); };
  for (auto& flow : flows) flow.send(window);
  double heard = 0;
  bool exhausted = false;
  while (elapsed() < seconds && !exhausted) {
    bool any = false;
    for (auto& flow : flows) {
      while (flow.turn()) any = true;
      exhausted = exhausted || flow.exhausted();
    }
    const bool silent = !any && elapsed() - heard > kSilence;
    if (any || silent) heard = elapsed();
    if (silent) {
      for (auto& flow : flows) flow.send(window);
    }
    std::this_thread::sleep_for(kNap);
  }
  std::uint64_t sent = 0, replies = 0;
  for (const auto& flow : flows) sent += flow.sent(), replies += flow.replies;
  std::printf("{\"sent\": %llu, \"replies\": %llu, \"seconds\": %.4f, \"cpu\": %.4f, \"exhausted\": %s}\n",
              static_cast<unsigned long long>(sent), static_cast<unsigned long long>(replies), elapsed(),
              cpu_seconds() - cpu, exhausted ? "true" : "false");
  return 0;
}
