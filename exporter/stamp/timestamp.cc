#include "stamp/timestamp.h"

namespace ue::stamp {

namespace {

constexpr std::uint64_t kNanosPerSecond = 1'000'000'000;
constexpr std::int64_t kNtpToUnix = 2'208'988'800;  // seconds from 1900 to 1970, RFC 5905 figure 4
constexpr std::int64_t kEra = std::int64_t{1} << 32;

}  // namespace

NtpTime NtpTime::from(WallTime t) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(t);
  const auto rest = static_cast<std::uint64_t>((t - whole).count());
  return {static_cast<std::uint32_t>(whole.time_since_epoch().count() + kNtpToUnix),
          static_cast<std::uint32_t>((rest << 32) / kNanosPerSecond)};
}

WallTime NtpTime::to_wall() const {
  // Era 0 has the top bit set from 1968 on; a clear one means era 1 (RFC 4330 §3).
  const std::int64_t since_1900 = seconds >> 31 != 0 ? std::int64_t{seconds} : kEra + seconds;
  // Rounded, so that a nanosecond survives the way to the wire and back.
  const auto rest = (fraction * kNanosPerSecond + (std::uint64_t{1} << 31)) >> 32;
  return WallTime(std::chrono::seconds(since_1900 - kNtpToUnix) + Nanos(static_cast<std::int64_t>(rest)));
}

}  // namespace ue::stamp
