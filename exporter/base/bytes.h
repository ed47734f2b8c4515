#pragma once
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ue {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// Big-endian stores and loads at an offset, each of them one instruction or two. The caller has checked the
/// bounds.
template <std::unsigned_integral T>
void put_big_endian(std::uint8_t* p, T v) {
  if constexpr (std::endian::native == std::endian::little) {
    if constexpr (sizeof v == 2) v = __builtin_bswap16(v);
    if constexpr (sizeof v == 4) v = __builtin_bswap32(v);
    if constexpr (sizeof v == 8) v = __builtin_bswap64(v);
  }
  std::memcpy(p, &v, sizeof v);
}
inline void put_u16(std::uint8_t* p, std::uint16_t v) { put_big_endian(p, v); }
inline void put_u32(std::uint8_t* p, std::uint32_t v) { put_big_endian(p, v); }
inline void put_u64(std::uint8_t* p, std::uint64_t v) { put_big_endian(p, v); }
inline std::uint16_t get_u16(const std::uint8_t* p) { return static_cast<std::uint16_t>(p[0] << 8 | p[1]); }
inline std::uint32_t get_u32(const std::uint8_t* p) {
  return static_cast<std::uint32_t>(get_u16(p)) << 16 | get_u16(p + 2);
}
inline std::uint64_t get_u64(const std::uint8_t* p) {
  return static_cast<std::uint64_t>(get_u32(p)) << 32 | get_u32(p + 4);
}

/// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);
std::string to_hex(std::uint64_t v);  ///< 16 digits
/// Nothing on an odd length or a character that is no hexadecimal digit.
std::optional<Bytes> from_hex(std::string_view text);
/// Exactly 1 to 16 digits.
std::optional<std::uint64_t> u64_from_hex(std::string_view text);

/// Cryptographically random; aborts where the kernel has no entropy source (never on Linux).
std::uint64_t random_u64();
void random_fill(std::span<std::uint8_t> out);

}  // namespace ue
