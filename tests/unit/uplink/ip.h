#pragma once
#include "base/address.h"

namespace ue::uplink {

inline IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

}  // namespace ue::uplink
