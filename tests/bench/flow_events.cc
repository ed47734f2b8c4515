// bench_flow_events COUNT: the connection tracker's events of COUNT new UDP flows, as the kernel writes them,
// through a socket pair into the agent's own reader and ledger, as fast as one core takes them. For machines
// whose kernel cannot begin 100,000 flows a second. Prints "N of COUNT flows in S seconds of one core: R a
// second".
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "route/conntrack.h"
#include "route/flow_ledger.h"
#include "uplink/netlink.h"

namespace {

using ue::IpAddress;

constexpr std::uint32_t kUplink = 0x7b2d0002;  // 123.45.0.2

/// One direction's addresses and ports, as ctnetlink_dump_tuples writes them.
void add_tuple(nl_msg* message, int which, std::uint32_t from, std::uint32_t to, std::uint16_t from_port,
               std::uint16_t to_port) {
  auto* tuple = nla_nest_start(message, which);
  auto* ip = nla_nest_start(message, CTA_TUPLE_IP);
  nla_put_u32(message, CTA_IP_V4_SRC, htonl(from));
  nla_put_u32(message, CTA_IP_V4_DST, htonl(to));
  nla_nest_end(message, ip);
  auto* protocol = nla_nest_start(message, CTA_TUPLE_PROTO);
  nla_put_u8(message, CTA_PROTO_NUM, IPPROTO_UDP);
  nla_put_u16(message, CTA_PROTO_SRC_PORT, htons(from_port));
  nla_put_u16(message, CTA_PROTO_DST_PORT, htons(to_port));
  nla_nest_end(message, protocol);
  nla_nest_end(message, tuple);
}

void send_events(int fd, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const ue::uplink::Request event(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL,
                                    nfgenmsg{AF_INET, NFNETLINK_V0, 0});
    const std::uint32_t peer = 0x0a000001 + i;
    add_tuple(event.get(), CTA_TUPLE_ORIG, kUplink, peer, 40000, 1194);
    add_tuple(event.get(), CTA_TUPLE_REPLY, peer, kUplink, 1194, 40000);
    nla_put_u32(event.get(), CTA_STATUS, htonl(IPS_CONFIRMED));
    nla_put_u32(event.get(), CTA_TIMEOUT, htonl(30));
    nla_put_u32(event.get(), CTA_ID, htonl(i + 1));
    const auto* bytes = nlmsg_hdr(event.get());
    if (send(fd, bytes, bytes->nlmsg_len, 0) < 0) std::_Exit(1);
  }
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_flow_events COUNT\n");
    return 2;
  }
  const auto count = static_cast<std::uint32_t>(std::strtoul(argv[1], nullptr, 10));
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return 1;
  const auto child = fork();
  if (child == 0) {
    send_events(ends[1], count);
    std::_Exit(0);
  }
  auto monitor = ue::route::ConntrackMonitor::over(ends[0]);
  ue::route::FlowLedger ledger;
  ledger.set_uplinks({{"mansion", {IpAddress::v4(kUplink)}}});
  const auto& flows = ledger.counts().at("mansion").all;
  const auto before = cpu_seconds();
  bool ended = false;
  while (flows.begun < count && !ended) {
    pollfd ready{ends[0], POLLIN, 0};
    (void)poll(&ready, 1, 100);
    ended = waitpid(child, nullptr, WNOHANG) == child;  // what it sent is still to be read
    (void)monitor.drain([&](const ue::route::FlowEvent& event) { ledger.apply(event, ue::Instant{}); });
  }
  const auto took = cpu_seconds() - before;
  std::printf("%llu of %u flows in %.2f seconds of one core: %.0f a second\n",
              static_cast<unsigned long long>(flows.begun), count, took,
              static_cast<double>(flows.begun) / took);
  return flows.begun == count ? 0 : 1;
}
