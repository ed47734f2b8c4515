#pragma once
#include <array>
#include <initializer_list>

#include "base/bytes.h"

namespace ue {

using Digest = std::array<std::uint8_t, 32>;

/// HMAC-SHA-256 over the concatenation of `parts` (RFC 2104, FIPS 180-4).
Digest hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);

/// Compares in a time that depends on the lengths only; false where they differ.
bool equal_constant_time(ByteView a, ByteView b);

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace ue
