#pragma once
#include <cstdint>

#include "base/time.h"

namespace ue::stamp {

/// NTP 64-bit timestamp (RFC 8762 §4.2.1, Z = 0): seconds since 1900-01-01 and a 32-bit fraction.
struct NtpTime {
  std::uint32_t seconds = 0;
  std::uint32_t fraction = 0;

  static NtpTime from(WallTime t);
  WallTime to_wall() const;  ///< era 0 until 2036-02-07, then era 1
  auto operator<=>(const NtpTime&) const = default;
};

/// Error Estimate (RFC 4656 §4.1.2): error in seconds = multiplier * 2^scale * 2^-32; multiplier 0 is invalid.
struct ErrorEstimate {
  bool synchronised = false;  ///< S
  bool ptp = false;           ///< Z: the timestamps are PTPv2 truncated
  std::uint8_t scale = 0;     ///< 0-63
  std::uint8_t multiplier = 1;

  static constexpr ErrorEstimate decode(std::uint16_t wire) {
    return {(wire & 0x8000) != 0, (wire & 0x4000) != 0, static_cast<std::uint8_t>(wire >> 8 & 0x3f),
            static_cast<std::uint8_t>(wire & 0xff)};
  }
  constexpr std::uint16_t encode() const {
    return static_cast<std::uint16_t>((synchronised ? 0x8000 : 0) | (ptp ? 0x4000 : 0) | (scale & 0x3f) << 8 |
                                      multiplier);
  }
  bool valid() const { return multiplier != 0; }
  auto operator<=>(const ErrorEstimate&) const = default;
};

}  // namespace ue::stamp
