#pragma once
#include "base/address.h"

namespace ue::route {

inline IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

}  // namespace ue::route
