#include "route/tracker_fault.h"

#include <fmt/format.h>

namespace ue::route {

namespace {

bool has_grown(const std::optional<std::uint64_t>& before, const std::optional<std::uint64_t>& now) {
  return before && now && *now > *before;
}

}  // namespace

std::vector<TrackerFault> tracker_faults(const std::optional<ConntrackTable>& before,
                                         const ConntrackTable& now, Nanos keepalive) {
  std::vector<TrackerFault> faults;
  const bool sheds =
      before && (has_grown(before->drops, now.drops) || has_grown(before->early_drops, now.early_drops));
  if (now.limit > 0 && (sheds || now.entries >= now.limit)) {
    faults.push_back(
        {"conntrack_room",
         fmt::format("this gateway's own connection table is full ({} of {} flows) and drops new "
                     "ones: sysctl -w net.netfilter.nf_conntrack_max={}",
                     now.entries, now.limit, now.limit * 2)});
  }
  if (now.udp_stream_timeout > 0 && now.udp_stream_timeout <= to_seconds(keepalive)) {
    faults.push_back(
        {"conntrack_timeout",
         fmt::format("this gateway itself forgets a UDP flow after {} s of silence, and the tunnel may be "
                     "silent for {} s: sysctl -w net.netfilter.nf_conntrack_udp_timeout_stream=120",
                     now.udp_stream_timeout, to_seconds(keepalive))});
  }
  return faults;
}

}  // namespace ue::route
