#pragma once
#include <string>
#include <string_view>

namespace ue::metrics {

/// `text` with every octet that is not part of well-formed UTF-8 (Unicode table 3-7), and every NUL, replaced
/// by U+FFFD. Names out of logs and packets may hold any octets; pages and scrapes may not.
std::string valid_utf8(std::string_view text);

}  // namespace ue::metrics
