#pragma once
#include <linux/filter.h>
#include <linux/netlink.h>

#include <vector>

#include "base/address.h"

/// Which of the kernel's network events matter. Pure: bytes in, an answer out, nothing allocated.
namespace ue::uplink {

/// What the agent follows beside links, addresses and default routes.
struct Interest {
  std::vector<IpAddress> destinations;  ///< whose way is watched
  std::vector<int> neighbour_links;     ///< ifindex of links whose neighbours (gateways) are watched
  std::vector<int> tunnel_links{};      ///< ifindex of links of which every route is watched
  bool operator==(const Interest&) const = default;
};

/// What may be another than before; more than one at once.
struct Changes {
  bool inventory = false;   ///< links, addresses, default routes
  bool rules = false;       ///< policy rules
  bool ways = false;        ///< the way to a watched destination
  bool neighbours = false;  ///< on a watched link
  bool tunnels = false;     ///< routes into a watched link, by their one next hop

  bool any() const { return inventory || rules || ways || neighbours || tunnels; }
  Changes& operator|=(const Changes& other);
  static Changes everything() { return {true, true, true, true, true}; }
};

/// What one event means. Looks at header and destination only.
Changes classify(nlmsghdr* message, const Interest& interest);

/// A classic BPF program for the monitor's socket: the kernel itself drops route events that cover no watched
/// destination, lead into no tunnel and are no default routes, and neighbours of other links, before they are
/// queued. So a million routes that come and go cost this process nothing. What it lets through is classified
/// again, exactly.
std::vector<sock_filter> event_filter(const Interest& interest);

}  // namespace ue::uplink
