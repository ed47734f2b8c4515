#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "uplink/neighbour.h"

namespace ue::agent {

/// Follows whether the next hop of each uplink answers on its link. Owned by the Agent, on the loop's thread;
/// asks the kernel only when it told of a neighbour on one of these links.
class GatewayWatch {
 public:
  struct Gateway {
    int ifindex = 0;
    IpAddress address;
    bool operator==(const Gateway&) const = default;
  };

  /// By uplink; what is left out is no longer followed, what is another begins unknown.
  void set(const std::map<std::string, Gateway>& gateways);
  /// Links whose neighbours are to be told of.
  std::vector<int> links() const;
  /// True: one of them is another than before.
  bool look();
  /// Nothing: not known, as while nothing has been sent through it.
  std::optional<bool> reachable(const std::string& uplink) const;

 private:
  struct Entry {
    Gateway gateway;
    std::optional<bool> reachable;
  };
  std::map<std::string, Entry> entries_;
  std::optional<uplink::NetlinkSocket> socket_;
};

}  // namespace ue::agent
