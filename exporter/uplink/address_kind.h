#pragma once
#include <string_view>

#include "base/address.h"

namespace ue::uplink {

/// Where an address is from, as the label values say: `private` (RFC 1918; RFC 4193 of IPv6), `shared`
/// (100.64.0.0/10, which only carriers' NATs hand out: RFC 6598), `link_local`, else `public`.
std::string_view address_kind(const IpAddress& address);

}  // namespace ue::uplink
