#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/address.h"

/// What a NAT does, in the words of RFC 4787 §4.1 and §5, and what may be concluded of it. Pure functions.
namespace ue::probe {

enum class Mapping : std::uint8_t {
  unknown,
  none,                        ///< nobody translates: we are seen by our own address and port
  endpoint_independent,        ///< one outer endpoint towards everybody
  address_dependent,           ///< another for each address that is sent to
  address_and_port_dependent,  ///< another for each address and port
  destination_dependent,       ///< one of the two above; which of them was not to be seen
  per_packet,                  ///< another for each packet, even towards one endpoint
};
std::string_view name(Mapping m);

enum class Filtering : std::uint8_t {
  unknown,
  endpoint_independent,        ///< lets in whoever knows the outer endpoint
  address_dependent,           ///< lets in any port of an address that was sent to
  address_and_port_dependent,  ///< lets in only the very endpoint that was sent to
};
std::string_view name(Filtering f);

/// Whether a NAT stands between this uplink and the Internet that is not its subscriber's own.
enum class CarrierGrade : std::uint8_t {
  unknown,
  none,  ///< no address is translated at all
  yes,
};
std::string_view name(CarrierGrade c);

/// What one far end saw, all of one socket and within seconds.
struct Sighting {
  Endpoint target;  ///< the far end
  Endpoint mapped;  ///< our endpoint as it saw it
};

/// Only what the pairs of far ends prove: two ports of one address tell whether the port matters, two
/// addresses whether the address does.
Mapping classify_mapping(const std::vector<Sighting>& sightings, const Endpoint& own);

/// `own`: the uplink's address. `beyond`: addresses of routers after the gateway, as far as they are known.
/// A private address of ours may be the home router's doing as well as the carrier's: then it is not known.
CarrierGrade carrier_grade(const IpAddress& own, const IpAddress& mapped,
                           const std::vector<IpAddress>& beyond);

/// RFC 6598: addresses that carriers share among subscribers behind their NATs.
bool is_carrier_shared(const IpAddress& address);
/// Reachable from everywhere, as far as the address itself tells.
bool is_public(const IpAddress& address);

}  // namespace ue::probe
