#include "reflector/outcome.h"

namespace ue::reflector {

std::string_view name(Outcome outcome) {
  static constexpr std::array<std::string_view, kOutcomes> kNames{
      "reflected",       "held",     "suppressed",   "too_short",   "oversized",
      "malformed",       "looped",   "bad_hmac",     "unknown_key", "unknown_session",
      "unauthenticated", "replayed", "rate_limited", "table_full",  "key_table_full"};
  return kNames[static_cast<std::size_t>(outcome)];
}

}  // namespace ue::reflector
