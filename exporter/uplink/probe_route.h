#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <variant>

#include "config/config.h"
#include "uplink/discovery.h"
#include "uplink/netlink.h"
#include "uplink/route_check.h"

namespace ue::uplink {

/// Marks our rules and routes (`proto 217` in `ip rule` and `ip route`), so that those of a killed agent are
/// known.
inline constexpr std::uint8_t kProbeProtocol = 217;
/// The table of an interface is this plus its index.
inline constexpr std::uint32_t kProbeTableBase = 862'000'000;
/// After `main` (32766) and `default` (32767): the rule answers only what no other table has answered.
inline constexpr std::uint32_t kBoundRulePriority = 33'000;
/// Before `main`, whose default route through another uplink would answer else; matches one pair of addresses
/// only.
inline constexpr std::uint32_t kReplyRulePriority = 900;

/// Makes a configured `gateway:` effective for the agent's own packets. A bound socket needs a route through
/// its interface, and where the tables have none (the second uplink, reached by host routes only) this adds
///
///   default via GATEWAY dev IF table T           in a table of its own, where nobody else looks
///   rule 33000: oif IF lookup T                  only sockets bound to IF, and only if no other table had an
///   answer rule 900: from ADDRESS to TARGET lookup T    only where rp_filter=1 would drop the target's
///   replies, or an
///                                                unreachable default in `main` hides the rule above
///
/// Ordinary traffic is never touched: it has no bound interface, and is not from our address to a probed
/// target. Configuring `gateway:` is the consent; without it nothing is ever added. Owned by the agent, on
/// the loop's thread.
class ProbeRoutes {
 public:
  /// `share`: another agent may be running on this machine, whose rules are to be left alone.
  explicit ProbeRoutes(bool share = false) : share_(share) {}
  ProbeRoutes(const ProbeRoutes&) = delete;
  ProbeRoutes& operator=(const ProbeRoutes&) = delete;
  ~ProbeRoutes() { remove_all(); }

  /// Asks the kernel, and adds what `targets` (reflectors, witnesses) lack. Idempotent: call it whenever the
  /// state, the targets or the tables changed; nothing is written where all is there. The first call removes
  /// what a killed agent left behind. An error says what fails and, where CAP_NET_ADMIN is missing, the
  /// commands to run by hand.
  Result<std::monostate> ensure(const config::Uplink& uplink, const UplinkState& state,
                                std::span<const IpAddress> targets);
  /// Takes back what ensure() added for the uplink of this name.
  void remove(const std::string& uplink);
  /// Takes back everything, on a clean exit.
  void remove_all();

 private:
  struct Installed {
    std::string interface;
    Family family = Family::ipv4;
    int ifindex = 0;
    IpAddress gateway;
    std::optional<IpAddress> source;
    std::set<IpAddress> pairs;  ///< targets with a rule of their own

    std::uint32_t table() const { return kProbeTableBase + static_cast<std::uint32_t>(ifindex); }
    bool same_route(const Installed& other) const {
      return interface == other.interface && family == other.family && ifindex == other.ifindex &&
             gateway == other.gateway && source == other.source;
    }
  };

  Result<std::monostate> open();
  void remove_stale();
  int put_route(int type, int flags, const Installed& entry);
  int put_bound_rule(int type, int flags, const Installed& entry);
  int put_pair_rule(int type, int flags, const Installed& entry, const IpAddress& target);
  Result<std::monostate> install(const config::Uplink& uplink, const Installed& entry, bool first,
                                 bool replies_dropped);
  Result<std::monostate> ensure_target(const config::Uplink& uplink, Installed& entry,
                                       const IpAddress& target);
  void withdraw(const Installed& entry);

  bool share_;
  std::optional<NetlinkSocket> socket_;
  std::map<std::string, Installed> installed_;  ///< by uplink
};

}  // namespace ue::uplink
