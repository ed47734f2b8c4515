#pragma once
#include <mutex>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "config/web_config.h"
#include "web/passwords.h"
#include "web/response.h"

namespace ue::web {

/// A bucket of `burst` tokens into which one falls each `interval`; it begins full. Knows no clock.
class TokenBucket {
 public:
  bool take(Nanos interval, std::uint32_t burst, Instant now);

 private:
  Instant full_at_{};  ///< when it will hold all its tokens
};

/// Decides who is let in, and how often, before a request is looked at. Owned by a Server and called by its
/// web threads; what it is to demand it is told each time, since that may change.
class Gate {
 public:
  /// Nothing: let in. Else the answer, which is 429 or 401.
  std::optional<Response> refuse(const config::WebConfig& demands, std::string_view program,
                                 std::string_view authorization, Instant now);

 private:
  Passwords passwords_;
  std::mutex counting_;
  TokenBucket bucket_;
};

}  // namespace ue::web
