// bench_flows PER_SECOND SECONDS: begins that many UDP flows, one datagram each, evenly over each hundredth
// of a second; every one goes to another address of 10.0.0.0/8. Empties the connection tracker's table in
// between, so that its limit is not what is measured. Needs CAP_NET_ADMIN. Prints "N flows in S seconds".
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr unsigned kBatch = 64;
constexpr std::uint64_t kEmptyAfter = 50'000;  // flows: a fifth of the usual limit

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

/// Orders the tracker to forget all flows; the kernel does so before the call returns.
void empty_table(int netlink) {
  struct {
    nlmsghdr header;
    nfgenmsg family;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  if (send(netlink, &request, sizeof request, 0) < 0) fail("emptying the table");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_flows PER_SECOND SECONDS\n");
    return 2;
  }
  using Clock = std::chrono::steady_clock;
  const auto rate = std::strtoull(argv[1], nullptr, 10);
  const auto total = rate * std::strtoull(argv[2], nullptr, 10);
  const int udp = socket(AF_INET, SOCK_DGRAM, 0);
  const int netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  if (udp < 0 || netlink < 0) fail("opening sockets");
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts{};
  std::array<sockaddr_in, kBatch> to{};
  char octet = 'x';
  for (unsigned i = 0; i < kBatch; ++i) {
    parts[i] = {&octet, 1};
    to[i].sin_family = AF_INET;
    to[i].sin_port = htons(1194);
    messages[i].msg_hdr = {&to[i], sizeof to[i], &parts[i], 1, nullptr, 0, 0};
  }
  std::uint64_t sent = 0;
  std::uint64_t emptied = 0;
  const auto began = Clock::now();
  while (sent < total) {
    const auto due =
        static_cast<std::uint64_t>(std::chrono::duration<double>(Clock::now() - began).count() * 100 + 1) *
        (rate / 100);
    if (sent >= std::min(due, total)) {
      const timespec pause{0, 1'000'000};
      nanosleep(&pause, nullptr);
      continue;
    }
    const auto count = static_cast<unsigned>(std::min<std::uint64_t>(kBatch, std::min(due, total) - sent));
    for (unsigned i = 0; i < count; ++i)
      to[i].sin_addr.s_addr = htonl(0x0a000001 + static_cast<std::uint32_t>(sent + i));
    const int done = sendmmsg(udp, messages.data(), count, 0);
    if (done < 0 && errno != EPERM && errno != ENOBUFS) fail("sending");
    if (done > 0) sent += static_cast<std::uint64_t>(done);
    if (sent - emptied >= kEmptyAfter) {
      empty_table(netlink);
      emptied = sent;
    }
  }
  std::printf("%llu flows in %.2f seconds\n", static_cast<unsigned long long>(sent),
              std::chrono::duration<double>(Clock::now() - began).count());
}
