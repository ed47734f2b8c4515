#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "config/config.h"
#include "uplink/discovery.h"
#include "uplink/route_check.h"

/// Whether this machine lets a path's probes out and their replies in, as far as its own tables say. What
/// fails here is no carrier's fault.
namespace ue::uplink {

/// Each fault is a part of a sentence that ends in what to add or set; empty: nothing is wrong.
struct Preflight {
  std::string route;      ///< no way out through the uplink
  std::string rp_filter;  ///< the reverse path filter drops the replies
};

/// Two look-ups in the kernel's tables; nothing is sent, no privilege is needed. An error means that they
/// could not be asked.
Result<Preflight> run_preflight(const config::Uplink& uplink, const UplinkState& state,
                                const IpAddress& target);

/// A counter out of the text of /proc/net/netstat (of snmp too); nothing where it has none of that name.
std::optional<std::uint64_t> netstat_counter(std::string_view text, std::string_view name);
/// Packets that the reverse path filter has dropped on any interface since the machine started.
std::optional<std::uint64_t> reverse_path_drops();

}  // namespace ue::uplink
