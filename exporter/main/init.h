#pragma once
#include <string>

namespace ue::tool {

/// Looks at this machine (its uplinks from the kernel, OpenVPN's configurations below `openvpn_directory`)
/// and prints a commented configuration for it, with the reflector at HOST:PORT where one is given. Changes
/// nothing. Returns the exit code: 0, or 2 with the reason on standard error.
int init(const std::string& openvpn_directory, const std::string& reflector);

}  // namespace ue::tool
