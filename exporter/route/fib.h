#pragma once
#include <linux/netlink.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "uplink/netlink.h"

/// Where the kernel would send an ordinary packet of this machine: values, and the reading of its answers.
namespace ue::route {

struct FibAnswer {
  int code = 0;  ///< 0, or the errno with which the kernel refused: ENETUNREACH no route, EHOSTUNREACH
                 ///< unreachable, EINVAL blackhole, EACCES prohibit
  std::uint32_t table = 0;
  bool local = false;                 ///< the destination is this machine itself, or a broadcast
  std::vector<uplink::NextHop> hops;  ///< more than one: the kernel spreads flows over them
};

/// Reads the RTM_NEWROUTE that answers RTM_GETROUTE; nothing where it is no such message or malformed.
std::optional<FibAnswer> read_fib_answer(nlmsghdr* message);

/// Asks for the route that unbound, unmarked packets to `destination` take, as a tunnel daemon's are. Needs
/// no privilege; sends nothing on the network.
FibAnswer look_up(uplink::NetlinkSocket& socket, const IpAddress& destination);

/// "main", "local", "default" or the number.
std::string table_name(std::uint32_t table);

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
