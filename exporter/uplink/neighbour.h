#pragma once
#include <optional>

#include "base/address.h"
#include "uplink/netlink.h"

/// Whether a next hop answers on the link, as the kernel's neighbour table knows it. Sends nothing.
namespace ue::uplink {

enum class NeighbourState {
  absent,   ///< nobody has asked for it
  unsure,   ///< asked just now, or not heard of for a while
  answers,  ///< heard of lately, or entered by hand
  silent    ///< asked for, and no answer
};

/// Of an RTM_NEWNEIGH; absent for anything else.
NeighbourState read_neighbour_state(nlmsghdr* message);

/// One question to the kernel (from Linux 5.0 on; absent before). Needs no privilege.
NeighbourState look_up_neighbour(NetlinkSocket& socket, int ifindex, const IpAddress& address);

/// What is concluded: while the kernel is unsure the answer before stays. Nothing: not known.
std::optional<bool> reachable(NeighbourState now, std::optional<bool> before);

}  // namespace ue::uplink
