#pragma once
#include <netlink/netlink.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace ue::route {

/// True where this event may change the way to one of `watched`: a rule, link, address or next-hop object,
/// or a route that covers one of them. Looks at header and destination only.
bool concerns(nlmsghdr* message, const std::vector<IpAddress>& watched);

/// Tells when the way to a watched destination may have changed, and keeps nothing of the table: a million
/// other routes may come and go. Owned by the agent's RouteWatch, on the loop's thread; never waits.
class Monitor {
 public:
  static Result<Monitor> open();

  int fd() const;  ///< readable when drain() has something to do
  /// Reads all that has come. True: look the destinations up again; something concerns them, or was lost.
  bool drain(const std::vector<IpAddress>& watched);
  /// How many times the kernel had to drop events because we were slow. Only grows.
  std::uint64_t overruns() const { return overruns_; }

 private:
  struct Free {
    void operator()(nl_sock* s) const { nl_socket_free(s); }
  };
  explicit Monitor(nl_sock* socket) : socket_(socket) {}

  std::unique_ptr<nl_sock, Free> socket_;
  std::uint64_t overruns_ = 0;
};

}  // namespace ue::route
