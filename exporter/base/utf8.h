#pragma once
#include <cstddef>
#include <string_view>

namespace ue {

/// Octets of the UTF-8 character at the start of `text`, which is not empty; 0 where there is none (RFC 3629
/// §4: over-long forms, surrogates and anything above U+10FFFF are not characters).
std::size_t utf8_size(std::string_view text);

}  // namespace ue
