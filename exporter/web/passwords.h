#pragma once
#include <crypt.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/hmac.h"

namespace ue::web {

/// Checks passwords against bcrypt hashes. A check takes tens of milliseconds on purpose, so one runs at a
/// time, and what was right is remembered (as a digest under a key of this process). Called by any web
/// thread.
class Passwords {
 public:
  static constexpr std::size_t kRemembered = 100;

  /// Takes as long for a name that is not there as for one that is.
  bool right(const std::map<std::string, std::string>& hashes, const std::string& name,
             const std::string& password);

  std::uint64_t computed() const;  ///< hashes worked out so far; for tests

 private:
  bool matches(const std::string& password, const std::string& hash);

  std::once_flag keyed_;
  std::array<std::uint8_t, 32> key_{};
  mutable std::mutex remembering_;
  std::set<Digest> remembered_;
  mutable std::mutex computing_;
  std::uint64_t computed_ = 0;
  std::unique_ptr<crypt_data> scratch_;  ///< 32 KiB, once there is a password to check
};

/// What a Basic Authorization header says (RFC 7617); both empty where it is something else.
struct Credentials {
  std::string name;
  std::string password;
};
Credentials parse_basic(std::string_view authorization);

}  // namespace ue::web
