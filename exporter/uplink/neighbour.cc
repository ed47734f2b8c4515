#include "uplink/neighbour.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace ue::uplink {

NeighbourState read_neighbour_state(nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWNEIGH || !nlmsg_valid_hdr(message, sizeof(ndmsg))) {
    return NeighbourState::absent;
  }
  const auto state = static_cast<const ndmsg*>(nlmsg_data(message))->ndm_state;
  if ((state & (NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP)) != 0) return NeighbourState::answers;
  if ((state & NUD_FAILED) != 0) return NeighbourState::silent;
  return state == NUD_NONE ? NeighbourState::absent : NeighbourState::unsure;
}

NeighbourState look_up_neighbour(NetlinkSocket& socket, int ifindex, const IpAddress& address) {
  ndmsg header{};
  header.ndm_family = static_cast<unsigned char>(to_af(address.family()));
  header.ndm_ifindex = ifindex;
  Request request(RTM_GETNEIGH, 0, header);
  request.address(NDA_DST, address);
  auto state = NeighbourState::absent;
  const int code = socket.transact(request, [&](nlmsghdr* m) { state = read_neighbour_state(m); });
  return code == 0 ? state : NeighbourState::absent;
}

std::optional<bool> reachable(NeighbourState now, std::optional<bool> before) {
  switch (now) {
    case NeighbourState::answers:
      return true;
    case NeighbourState::silent:
      return false;
    case NeighbourState::unsure:
      return before;
    case NeighbourState::absent:
      break;
  }
  return std::nullopt;
}

}  // namespace ue::uplink
