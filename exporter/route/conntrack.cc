#include "route/conntrack.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <sstream>

namespace ue::route {

namespace {

constexpr int kReceiveBuffer =
    32 << 20;                           // a third of a second at 100,000 events a second; used only when full
constexpr unsigned kBatch = 64;         // messages for each system call
constexpr std::size_t kMessage = 1024;  // an event has about 250 octets
constexpr int kBatchesAtOnce = 64;

Error watch_failed(const char* what, int code) {
  const auto text = errno_error(std::string("watching the connection tracker: ") + what, code).message;
  if (code != EPERM && code != EACCES) return Error{text};
  return Error{
      text +
      "; grant CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN in its systemd unit) to have UDP flows "
      "without an answer counted"};
}

std::optional<std::uint64_t> read_number(const std::string& name) {
  std::ifstream file("/proc/sys/net/netfilter/" + name);
  std::uint64_t value = 0;
  return file >> value ? std::optional(value) : std::nullopt;
}

}  // namespace

ConntrackMonitor& ConntrackMonitor::operator=(ConntrackMonitor&& other) noexcept {
  std::swap(fd_, other.fd_);
  buffer_ = std::move(other.buffer_);
  overruns_ = other.overruns_;
  return *this;
}

ConntrackMonitor::~ConntrackMonitor() {
  if (fd_ >= 0) ::close(fd_);
}

ConntrackMonitor ConntrackMonitor::over(int fd) {
  ConntrackMonitor monitor(fd);
  monitor.buffer_.resize(kBatch * kMessage);
  return monitor;
}

Result<ConntrackMonitor> ConntrackMonitor::open(int& code,
                                                const std::function<void(const FlowEvent&)>& standing) {
  const auto refused = [&code](const char* what) {
    code = errno;
    return watch_failed(what, code);
  };
  auto monitor = over(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  if (monitor.fd_ < 0) return refused("opening a socket");
  if (setsockopt(monitor.fd_, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) != 0) {
    return refused("asking for room for events");
  }
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (bind(monitor.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return refused("binding the socket");
  }
  const auto join = [&](int group) {
    return setsockopt(monitor.fd_, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0;
  };
  // What changes about a flow is told from before the dump on, or an answer in between would be missed. What
  // begins only from after it: a flow that begins in between is in neither, none is in both.
  if (!join(NFNLGRP_CONNTRACK_UPDATE)) return refused("joining a group");
  if ((errno = monitor.dump(standing)) != 0) return refused("reading the table");
  auto program = flow_filter();
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  // Without the filter the events of TCP come too, and are passed over.
  (void)setsockopt(monitor.fd_, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
  if (!join(NFNLGRP_CONNTRACK_NEW)) return refused("joining a group");
  return monitor;
}

int ConntrackMonitor::dump(const std::function<void(const FlowEvent&)>& standing) {
  struct {
    nlmsghdr header;
    nfgenmsg family;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  if (send(fd_, &request, sizeof request, 0) < 0) return errno;
  while (true) {
    // The kernel has the next part ready before the one before is taken, so this never waits.
    const auto got = recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && (errno == EINTR || errno == ENOBUFS)) continue;  // events were lost, no part of the dump
    if (got < 0) return errno;
    auto* message = reinterpret_cast<nlmsghdr*>(buffer_.data());
    for (auto rest = static_cast<unsigned>(got); NLMSG_OK(message, rest);
         message = NLMSG_NEXT(message, rest)) {
      if (message->nlmsg_type == NLMSG_DONE) return 0;
      if (message->nlmsg_type == NLMSG_ERROR) {
        return -static_cast<const nlmsgerr*>(NLMSG_DATA(message))->error;
      }
      auto flow = read_flow_event(message);
      if (!flow) continue;
      flow->begun = (message->nlmsg_flags & NLM_F_MULTI) != 0;
      standing(*flow);
    }
  }
}

std::uint64_t ConntrackMonitor::lost() const {
  std::array<std::uint32_t, SK_MEMINFO_VARS> figures{};
  socklen_t size = sizeof figures;
  if (getsockopt(fd_, SOL_SOCKET, SO_MEMINFO, figures.data(), &size) != 0) return 0;
  return figures[SK_MEMINFO_DROPS];
}

ConntrackMonitor::Drained ConntrackMonitor::drain(const std::function<void(const FlowEvent&)>& visit) {
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts{};
  for (unsigned i = 0; i < kBatch; ++i) {
    parts[i] = {buffer_.data() + i * kMessage, kMessage};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (int round = 0; round < kBatchesAtOnce; ++round) {
    const int got = recvmmsg(fd_, messages.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return {};
      if (errno != ENOBUFS) return {false, errno};
      ++overruns_;
      return {true, 0};
    }
    for (unsigned i = 0; i < static_cast<unsigned>(got); ++i) {
      auto* message = reinterpret_cast<nlmsghdr*>(parts[i].iov_base);
      for (auto rest = messages[i].msg_len; NLMSG_OK(message, rest); message = NLMSG_NEXT(message, rest)) {
        if (const auto event = read_flow_event(message)) visit(*event);
      }
    }
    if (static_cast<unsigned>(got) < kBatch) return {};
  }
  return {};
}

bool conntrack_reports_events() { return read_number("nf_conntrack_events") != std::uint64_t{0}; }

std::optional<ConntrackTable> read_conntrack_table() {
  const auto entries = read_number("nf_conntrack_count");
  const auto limit = read_number("nf_conntrack_max");
  const auto timeout = read_number("nf_conntrack_udp_timeout");
  const auto stream = read_number("nf_conntrack_udp_timeout_stream");
  if (!entries || !limit || !timeout || !stream) return std::nullopt;
  ConntrackTable table;
  table.entries = *entries;
  table.limit = *limit;
  table.udp_timeout = static_cast<double>(*timeout);
  table.udp_stream_timeout = static_cast<double>(*stream);
  std::ifstream file("/proc/net/stat/nf_conntrack");
  std::ostringstream text;
  text << file.rdbuf();
  read_conntrack_statistics(text.str(), table);
  return table;
}

void read_conntrack_statistics(const std::string& text, ConntrackTable& table) {
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line)) return;
  std::vector<std::optional<std::uint64_t>*> columns;  // where each column's sum goes; null: nowhere
  std::istringstream names(line);
  for (std::string name; names >> name;) {
    columns.push_back(name == "early_drop"      ? &table.early_drops
                      : name == "insert_failed" ? &table.insert_failures
                      : name == "drop"          ? &table.drops
                                                : nullptr);
  }
  while (std::getline(lines, line)) {
    std::istringstream values(line);
    values >> std::hex;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < columns.size() && values >> value; ++i) {
      if (columns[i] != nullptr) *columns[i] = columns[i]->value_or(0) + value;
    }
  }
}

}  // namespace ue::route
