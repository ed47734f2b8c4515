#pragma once
#include <linux/filter.h>
#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "base/time.h"

/// What the connection tracker tells of one UDP flow. Pure: bytes in, a value out, nothing allocated.
namespace ue::route {

struct FlowEvent {
  std::uint32_t id = 0;  ///< the tracker's own number of the flow
  bool begun = false;    ///< its first packet has just passed; else something about it changed
  bool replied = false;  ///< a packet came back
  Nanos timeout{};       ///< the tracker forgets it after this silence; zero: not told
  IpAddress reply_from;  ///< who answers: the destination, as this machine's packets carry it
  IpAddress reply_to;    ///< where the answer goes: the uplink's own address, after source NAT
};

/// Reads IPCTNL_MSG_CT_NEW of a UDP flow, which tells of new and of changed ones; nothing for anything else.
std::optional<FlowEvent> read_flow_event(nlmsghdr* message);

/// A classic BPF program that has the kernel drop the events of everything but UDP before they are queued.
std::vector<sock_filter> flow_filter();

}  // namespace ue::route
