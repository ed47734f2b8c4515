#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ue::reflector {

/// What became of one datagram. Only `reflected` puts anything on the wire, and later `held`.
enum class Outcome : std::uint8_t {
  reflected,
  held,             ///< the reply waits, as an authenticated sender asked
  suppressed,       ///< counted for the session, and the sender asked for no reply
  too_short,        ///< shorter than the base packet
  oversized,        ///< longer than kMaxDatagram
  malformed,        ///< Error Estimate with multiplier 0, or source port 0
  looped,           ///< a reflector's reply: answering it could bounce between two reflectors for ever
  bad_hmac,         ///< base HMAC wrong under every key that it could be
  unknown_key,      ///< names a key id or gateway id that the key file does not know
  unknown_session,  ///< no flow TLV, and its SSID belongs to no session (an ordinary sight just after a
                    ///< restart)
  unauthenticated,  ///< not allowed here
  replayed,         ///< sequence number seen before, or too old to tell
  rate_limited,
  table_full,      ///< no session may be added, every one is live
  key_table_full,  ///< this key has as many sessions as one key may
};
inline constexpr std::size_t kOutcomes = 15;

/// The label value: the enumerator's own name.
std::string_view name(Outcome outcome);

using OutcomeCounts = std::array<std::uint64_t, kOutcomes>;

}  // namespace ue::reflector
