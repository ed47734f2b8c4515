#include "agent/privileges.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "uplink/arrival_tap.h"

namespace ue::agent {

namespace {

bool may_mark(std::uint32_t mark) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return true;  // it says nothing about marks
  const bool allowed = setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0;
  ::close(fd);
  return allowed;
}

/// One line when it turns out, not again at each reload.
void find(std::string& fault, bool allowed, const char* text) {
  const std::string now = allowed ? "" : text;
  if (now != fault && !allowed) log::info("PRIVILEGE_MISSING", "{}", now);
  fault = now;
}

}  // namespace

void Privileges::look(const std::vector<config::Uplink>& uplinks) {
  find(arrivals_, uplink::ArrivalTap::permitted(),
       "replies that this machine's own filter drops are not told from lost ones: grant CAP_NET_RAW");
  const auto marked =
      std::find_if(uplinks.begin(), uplinks.end(), [](const auto& u) { return u.fwmark != 0; });
  wants_marks_ = marked != uplinks.end();
  find(marks_, !wants_marks_ || may_mark(marked->fwmark),
       "uplinks with a fwmark are not probed: grant CAP_NET_ADMIN (from Linux 5.17 on CAP_NET_RAW is "
       "enough), or leave out fwmark:");
}

void Privileges::add_to(metrics::Snapshot& snapshot, const std::string& route_fault) const {
  snapshot.collectors.push_back({"arrivals", arrivals_.empty(), arrivals_, !arrivals_.empty()});
  if (wants_marks_) snapshot.collectors.push_back({"marks", marks_.empty(), marks_});
  snapshot.collectors.push_back({"probe_routes", route_fault.empty(), route_fault});
}

}  // namespace ue::agent
