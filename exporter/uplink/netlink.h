#pragma once
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

namespace ue::uplink {

/// Address of an attribute (4 or 16 octets); nothing on another length or where there is none.
std::optional<IpAddress> read_address(nlattr* attribute);
/// True for a message about a route to everywhere: 0.0.0.0/0, ::/0, or 2000::/3, all that has been handed
/// out, which some providers' routers announce instead. Nearly all others are told by their header alone.
bool is_default_route(nlmsghdr* message);
/// An IPv4 route's gateway may be an IPv6 router (RTA_VIA); `gateway` is RTA_GATEWAY. Either may be null.
std::optional<IpAddress> read_gateway(nlattr* gateway, nlattr* via);

/// One next hop of RTA_MULTIPATH.
struct NextHop {
  int ifindex = 0;
  std::optional<IpAddress> gateway;
  bool dead = false;  ///< its link is down: the kernel does not use it now
};
void for_each_next_hop(nlattr* multipath, const std::function<void(const NextHop&)>& visit);

inline int to_af(Family family) { return family == Family::ipv4 ? 2 : 10; }

/// A netlink message under construction: a type, a family-specific header, attributes.
class Request {
 public:
  template <typename Header>
  Request(int type, int flags, const Header& header) : Request(type, flags, &header, sizeof header) {}
  Request(int type, int flags, const void* header, std::size_t size);

  Request& u32(int attribute, std::uint32_t value);
  Request& u8(int attribute, std::uint8_t value);
  Request& text(int attribute, const std::string& value);
  Request& address(int attribute, const IpAddress& value);
  nl_msg* get() const { return message_.get(); }

 private:
  struct Free {
    void operator()(nl_msg* m) const { nlmsg_free(m); }
  };
  std::unique_ptr<nl_msg, Free> message_;
};

/// A route-netlink socket for questions and orders, one at a time. The kernel answers at once; who calls
/// waits for that (a dump of a full Internet table takes about a second). Used on the loop's thread, keeps
/// nothing.
class NetlinkSocket {
 public:
  static Result<NetlinkSocket> open();

  using OnMessage = std::function<void(nlmsghdr*)>;
  /// Sends, and reads up to the acknowledgement, the end of the dump or the refusal. Returns 0 or an errno. A
  /// dump that changed under way is asked for again, at most three times: `restart` is called before each of
  /// them.
  int transact(const Request& request, const OnMessage& on_message = {},
               const std::function<void()>& restart = {});

 private:
  struct Free {
    void operator()(nl_sock* s) const { nl_socket_free(s); }
  };
  explicit NetlinkSocket(nl_sock* socket) : socket_(socket) {}
  int transact_once(nl_msg* message, const OnMessage& on_message);
  std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace ue::uplink
