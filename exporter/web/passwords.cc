#include "web/passwords.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "base/bytes.h"

namespace ue::web {

namespace {

/// Base64 (RFC 4648 §4), padding and all; nothing for anything else.
std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    for (std::size_t j = i; j < i + 4; ++j) {
      const auto digit = j >= text.size() - padding ? 0 : kDigits.find(text[j]);
      if (digit == kDigits.npos) return std::nullopt;
      group = group << 6 | static_cast<std::uint32_t>(digit);
    }
    for (const int shift : {16, 8, 0}) out += static_cast<char>(group >> shift & 0xff);
  }
  out.resize(out.size() - padding);
  return out;
}

}  // namespace

bool Passwords::right(const std::map<std::string, std::string>& hashes, const std::string& name,
                      const std::string& password) {
  // bcrypt ends at a NUL, and so would a right password with anything behind it be right.
  if (hashes.empty() || password.find('\0') != std::string::npos) return false;
  const auto user = hashes.find(name);
  // The dearest hash stands in for a name that is not there: the time it takes tells nothing.
  const auto cost = [](const auto& entry) { return entry.second.substr(4, 2); };
  const auto stand_in = std::max_element(hashes.begin(), hashes.end(),
                                         [&](const auto& a, const auto& b) { return cost(a) < cost(b); });
  const std::string& hash = (user == hashes.end() ? stand_in : user)->second;

  // Not sooner: without passwords OpenSSL's generator stays out of memory.
  std::call_once(keyed_, [this] { random_fill(key_); });
  const Digest digest = hmac_sha256(key_, {as_bytes(hash), as_bytes(password)});
  if (user != hashes.end()) {
    const std::lock_guard lock(remembering_);
    if (remembered_.contains(digest)) return true;
  }
  if (!matches(password, hash) || user == hashes.end()) return false;
  const std::lock_guard lock(remembering_);
  if (remembered_.size() >= kRemembered) remembered_.clear();
  remembered_.insert(digest);
  return true;
}

bool Passwords::matches(const std::string& password, const std::string& hash) {
  const std::lock_guard lock(computing_);
  ++computed_;
  if (!scratch_) scratch_ = std::make_unique<crypt_data>();
  scratch_->initialized = 0;
  const char* made = crypt_r(password.c_str(), hash.c_str(), scratch_.get());
  return made != nullptr && equal_constant_time(as_bytes(made), as_bytes(hash));
}

std::uint64_t Passwords::computed() const {
  const std::lock_guard lock(computing_);
  return computed_;
}

Credentials parse_basic(std::string_view authorization) {
  constexpr std::string_view kScheme = "basic ";
  if (authorization.size() < kScheme.size()) return {};
  const bool basic = std::equal(kScheme.begin(), kScheme.end(), authorization.begin(), [](char want, char c) {
    return std::tolower(static_cast<unsigned char>(c)) == want;
  });
  authorization.remove_prefix(kScheme.size());
  const auto decoded = basic ? decode_base64(authorization) : std::nullopt;
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return {};
  return {decoded->substr(0, colon), decoded->substr(colon + 1)};
}

}  // namespace ue::web
