#include "web/gate.h"

#include <fmt/format.h>

#include <algorithm>

namespace ue::web {

bool TokenBucket::take(Nanos interval, std::uint32_t burst, Instant now) {
  // In nanoseconds of filling, so that nothing is counted but the one instant.
  const auto begin = std::max(full_at_, now);
  if (begin + interval > now + interval * static_cast<std::int64_t>(burst)) return false;
  full_at_ = begin + interval;
  return true;
}

std::optional<Response> Gate::refuse(const config::WebConfig& demands, std::string_view program,
                                     std::string_view authorization, Instant now) {
  if (demands.rate_interval > Nanos::zero()) {
    const std::lock_guard lock(counting_);
    if (!bucket_.take(demands.rate_interval, demands.rate_burst, now))
      return Response{.status = 429, .body = "429 Too Many Requests\n", .headers = {{"Retry-After", "1"}}};
  }
  if (demands.users.empty()) return std::nullopt;
  const auto [name, password] = parse_basic(authorization);
  if (passwords_.right(demands.users, name, password)) return std::nullopt;
  return Response{
      .status = 401,
      .body = "401 Unauthorized\n",
      .headers = {{"WWW-Authenticate", fmt::format("Basic realm=\"{}\", charset=\"UTF-8\"", program)}}};
}

}  // namespace ue::web
