#pragma once
#include <array>
#include <string>
#include <string_view>

#include "reflector/cores.h"

namespace ue::reflector {

/// How a query ended; the label values are the enumerators' names.
enum class QueryOutcome : std::uint8_t {
  answered,
  bad_request,   ///< not what stamp/query.h describes, or no HTTP
  unauthorized,  ///< unknown key, wrong signature, or no key where one is needed
  rate_limited,
  not_found,  ///< another path or method
  too_large,
  timed_out,  ///< incomplete after QueryServer::kDeadline, or the peer went away
  refused,    ///< more connections than allowed
};
inline constexpr std::size_t kQueryOutcomes = 8;
std::string_view name(QueryOutcome outcome);

/// What goes back over HTTP.
struct QueryReply {
  unsigned status = 200;
  std::string body;            ///< JSON
  std::string authentication;  ///< value of stamp::kQueryHeader; empty: none
};

/// Answers "what did you receive from these sessions?" out of the cores, of which one has each session.
/// Reveals only flows of the key that signed the question; without a key, where that is allowed, only
/// unauthenticated flows whose 64-bit name the asker knows. Owned by the loop; passive.
class QueryDesk {
 public:
  explicit QueryDesk(Cores& cores);

  /// `authentication` is the value of the request's stamp::kQueryHeader, empty where it has none.
  QueryReply answer(const Now& now, std::string_view body, std::string_view authentication,
                    const IpAddress& peer);
  /// Counts what ended before it reached answer(), and gives the reply for it.
  QueryReply refuse(unsigned status, QueryOutcome outcome, std::string_view why);

  std::uint64_t count(QueryOutcome o) const { return outcomes_[static_cast<std::size_t>(o)]; }

  /// A prober asks every few seconds, several uplinks and gateways may share one address.
  static constexpr double kRate = 10;  ///< a second, per source prefix
  static constexpr double kBurst = 30;

 private:
  Cores& cores_;
  RateLimiter limiter_;
  std::array<std::uint64_t, kQueryOutcomes> outcomes_{};
};

}  // namespace ue::reflector
