#pragma once
#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "route/rules.h"
#include "uplink/netlink.h"

/// Where the kernel would send an ordinary packet of this machine: values, and the reading of its answers.
namespace ue::route {

struct FibAnswer {
  int code = 0;  ///< 0, or the errno with which the kernel refused: ENETUNREACH no route, EHOSTUNREACH
                 ///< unreachable, EINVAL blackhole, EACCES prohibit
  std::uint32_t table = 0;            ///< 0: not known
  bool local = false;                 ///< the destination is this machine itself, or a broadcast
  std::vector<uplink::NextHop> hops;  ///< those alive; more than one: the kernel spreads flows over them
};

/// Reads the RTM_NEWROUTE that answers RTM_GETROUTE; nothing where it is no such message or malformed.
std::optional<FibAnswer> read_fib_answer(nlmsghdr* message);

/// True for a message about a route whose destination covers the address.
bool route_covers(nlmsghdr* message, const IpAddress& address);

/// Asks for the route that packets take which are bound to no interface, as a tunnel daemon's are. Needs no
/// privilege; sends nothing on the network.
FibAnswer look_up(uplink::NetlinkSocket& socket, const Query& query);

/// The rule that led to the answer: the first that the packet meets and that names the answer's table or its
/// refusal. Where a refusing route in one of the tables did it, `answer.table` is found out and filled in.
/// Nothing where no rule fits, as when they changed meanwhile.
std::optional<Rule> deciding_rule(uplink::NetlinkSocket& socket, const std::vector<Rule>& rules,
                                  const Query& query, FibAnswer& answer);

/// An address, or the network of a prefix: "111.222.33.44", "10.9.0.0/16".
struct Target {
  IpAddress address;
  std::uint8_t length = 32;

  /// Nothing for a name, or anything else that is neither address nor prefix.
  static std::optional<Target> parse(const std::string& text);
  /// The one address that is asked for: the network's first host where there are several.
  IpAddress sample() const;
};

}  // namespace ue::route
