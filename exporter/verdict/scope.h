#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/hops.h"
#include "base/time.h"

namespace ue::verdict {

enum class Verdict : std::uint8_t;

/// How far away a fault is, and so whose it is.
enum class Scope : std::uint8_t {
  gateway,  ///< this machine
  home,     ///< the router in front of it that is the customer's own
  carrier,
  beyond,  ///< nearer to the far end than to the carrier, or the far end itself
  unknown,
};
std::string_view scope_name(Scope s);

/// What is known of the way of one path; what has not been looked at is absent.
struct Trail {
  std::optional<IpAddress> own;    ///< the uplink's own address
  std::optional<Hops> usual;       ///< while the path worked
  std::optional<Hops> other;       ///< to the same far end through another uplink that works
  std::optional<Hops> now;         ///< since the trouble began, on the flow that is in trouble
  std::optional<unsigned> length;  ///< hops to the far end, itself counted, by the TTL that it received

  /// The farthest hop that forgets a flow within `forgets_within` of silence: packets whose TTL ends there
  /// keep the mapping alive, those that end before do not.
  std::optional<unsigned> forgetful;
  Nanos forgets_within{};

  /// An ICMP error, by name, and who sent it.
  struct Refusal {
    IpAddress offender;
    std::string kind;
    std::uint8_t ttl = 0;  ///< of the ICMP packet on arrival; 0: not known
  };
  std::optional<Refusal> probe_refused;  ///< on the way out, received here
  std::optional<Refusal> reply_refused;  ///< on the way back, received by the far end
  bool answered_elsewhere = false;       ///< the far end's UDP replies arrive through another uplink
};

struct Location {
  Scope scope = Scope::unknown;
  std::string evidence;  ///< a sentence with the hop; empty: nothing was found
};

/// Where the fault lies that `verdict` names. Pure. `unknown` where hops were silent in better days too,
/// where a hop could be the home's or the carrier's, and for verdicts that say nothing of a place.
Location locate(Verdict verdict, const Trail& trail);

/// Whose the router at `hop` is: the first one's private address is the home's, shared address space (RFC
/// 6598) the carrier's, what another uplink passes too is beyond both.
Scope owner(const Trail& trail, unsigned hop);

}  // namespace ue::verdict
