#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/result.h"
#include "uplink/netlink.h"

/// Questions to the kernel's routing tables, as `ip route get` asks them: nothing is sent, nothing is
/// changed, and no privilege is needed.
namespace ue::uplink {

/// A packet of a socket that is bound to an uplink.
struct RouteQuery {
  IpAddress destination;
  int ifindex = 0;  ///< 0: not bound
  std::uint32_t fwmark = 0;
  std::optional<IpAddress> source;
};

struct RouteCheck {
  /// A route was found. Without one Linux still sends IPv4 packets of a bound socket, but asks by ARP for the
  /// far host itself, which no router but a proxy answers: they are lost silently.
  bool routed = false;
  std::optional<IpAddress> gateway;  ///< absent: routed on the link itself
  std::uint32_t table = 0;
  int ifindex = 0;     ///< of the route
  int code = 0;        ///< errno where not routed
  std::string reason;  ///< its text
};

/// What the kernel's tables and rules say to a packet out. An error means that they could not be asked.
Result<RouteCheck> check_route(const RouteQuery& query);
Result<RouteCheck> check_route(const IpAddress& destination, int ifindex, std::uint32_t fwmark,
                               const std::optional<IpAddress>& source);

struct ReplyCheck {
  bool accepted = false;
  int code = 0;        ///< errno where refused
  std::string reason;  ///< for the sentence: reverse path filter, or errno's text
};

/// What they say to a reply from `query.destination` to `query.source` that comes in on the interface: with
/// rp_filter=1 the kernel drops it unless its route back leaves through the same interface. IPv6 has no such
/// filter there.
Result<ReplyCheck> check_reply(const RouteQuery& query);

/// The same over a socket that is open already.
RouteCheck check_route(NetlinkSocket& socket, const RouteQuery& query);
ReplyCheck check_reply(NetlinkSocket& socket, const RouteQuery& query);

}  // namespace ue::uplink
