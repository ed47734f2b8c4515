#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "route/fib.h"
#include "route/rules.h"

/// Does a destination leave through the uplink that it must leave through? Pure.
namespace ue::route {

/// A destination as it was configured or found, and what is asked of the kernel for it.
struct Watched {
  std::string destination;  ///< as configured: address, prefix, name; or "openvpn:TUNNEL"
  std::string expected;     ///< the uplink that it must leave through; empty: any
  Query query;
};

struct Judgement {
  bool match = false;
  std::string uplink;  ///< through which it really leaves; empty: through none that is configured, or several
  std::string interface;  ///< of the first next hop; empty: not routed
  std::string gateway;    ///< empty: on the link, or not routed
  std::string table;      ///< empty: not routed
  std::string reason;     ///< a sentence for the operator
  bool operator==(const Judgement&) const = default;
  /// The same way, whatever the sentence says.
  bool same_way(const Judgement& other) const {
    return match == other.match && uplink == other.uplink && interface == other.interface &&
           gateway == other.gateway && table == other.table;
  }
};

/// Name of an interface by its index; empty where there is none.
using InterfaceName = std::function<std::string(int)>;

/// Of several next hops all must leave through the expected uplink: the kernel spreads flows over them. An
/// uplink with a configured gateway is only met through that gateway. `rule` is the one that decided.
Judgement judge(const Watched& watched, const std::vector<config::Uplink>& uplinks, const FibAnswer& answer,
                const std::optional<Rule>& rule, const InterfaceName& interface_name);

}  // namespace ue::route
