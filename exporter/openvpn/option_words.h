#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace ue::openvpn {

/// Words of one line of an OpenVPN configuration, without quotes and comments, the first without its dashes:
/// "management \"/run/o.sock\" unix # note" is management, /run/o.sock, unix.
std::vector<std::string> option_words(std::string_view line);

}  // namespace ue::openvpn
