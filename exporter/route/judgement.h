#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "route/fib.h"

/// Does a destination leave through the uplink that it must leave through? Pure.
namespace ue::route {

struct Judgement {
  bool match = false;
  std::string uplink;  ///< through which it really leaves; empty: through none that is configured, or several
  std::string interface;  ///< of the first next hop; empty: not routed
  std::string gateway;    ///< empty: on the link, or not routed
  std::string table;      ///< empty: not routed
  std::string reason;     ///< a sentence for the operator
  bool operator==(const Judgement&) const = default;
};

/// Name of an interface by its index; empty where there is none.
using InterfaceName = std::function<std::string(int)>;

/// Of several next hops all must leave through the expected uplink: the kernel spreads flows over them. An
/// uplink with a configured gateway is only met through that gateway.
Judgement judge(const std::string& destination, const IpAddress& asked, const std::string& expected,
                const std::vector<config::Uplink>& uplinks, const FibAnswer& answer,
                const InterfaceName& interface_name);

}  // namespace ue::route
