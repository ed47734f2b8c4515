#pragma once
#include <netlink/netlink.h>

#include <cstdint>
#include <memory>

#include "base/result.h"

namespace ue::uplink {

/// Tells when links, addresses, default routes or policy rules change, so that nobody polls. Subscribed
/// before the first read_inventory(), nothing is missed. Owned by the agent, on the loop's thread; never
/// waits, keeps no state of the network, and skips other routes' events after a look at the header.
class Monitor {
 public:
  static Result<Monitor> open();

  int fd() const;  ///< readable when drain() has something to do
  /// Reads all that has come. True: something that matters changed, or was lost; read the inventory again.
  bool drain();
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

}  // namespace ue::uplink
