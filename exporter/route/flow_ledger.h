#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/time.h"
#include "route/conntrack_event.h"

namespace ue::route {

/// UDP flows of one uplink since the watch began. Every one only grows.
struct FlowCounts {
  std::uint64_t begun = 0;
  std::uint64_t answered = 0;   ///< a packet came back in time
  std::uint64_t unreplied = 0;  ///< no packet came back within the flow's own time-out
  std::uint64_t unfollowed =
      0;  ///< begun, but their fate was not seen: too many at once, or events were lost
};

struct UplinkFlows {
  FlowCounts all;
  FlowCounts others;  ///< without those of our own probes
};

/// Counts, per uplink, the UDP flows that leave this machine and those that nothing answers. Pure: told of
/// events and of the time. Owned by the agent, on the loop's thread. A flow belongs to the uplink whose
/// address the answer goes to; flows that come in, or leave without source NAT from elsewhere, belong to
/// none.
class FlowLedger {
 public:
  /// Memory stays bounded: about 64 bytes for each flow that is followed.
  static constexpr std::size_t kMostFollowed = 1 << 20;

  /// The uplinks' addresses now. An uplink that is no longer named keeps its counters.
  void set_uplinks(const std::map<std::string, std::vector<IpAddress>>& uplinks);

  /// Where our own probes go: their flows prove nothing that the probes have not proven already.
  void set_own(std::set<Endpoint> own) { own_ = std::move(own); }

  void apply(const FlowEvent& event, Instant now);
  /// Settles the flows whose time is over; call it about once a second.
  void settle(Instant now);
  /// Events were lost: of no flow that is followed now can it be said that nothing answered it.
  void lose_sight();

  const std::map<std::string, UplinkFlows>& counts() const { return counts_; }
  std::size_t followed() const { return open_.size(); }

 private:
  struct Open {
    UplinkFlows* of = nullptr;
    bool own = false;
    std::int64_t due = 0;  ///< second
  };
  static void count(std::uint64_t FlowCounts::*which, const Open& flow);

  std::map<std::string, UplinkFlows> counts_;  // nodes do not move
  std::map<IpAddress, UplinkFlows*> by_address_;
  std::set<Endpoint> own_;
  std::unordered_map<std::uint32_t, Open> open_;
  std::map<std::int64_t, std::vector<std::uint32_t>> due_;  ///< flows to look at, by second
};

}  // namespace ue::route
