#pragma once
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/web_config.h"

struct ssl_ctx_st;
struct ssl_st;

namespace ue::web {

/// What a TLS handshake needs of one configuration, read from its files: certificate, key, the clients that
/// it lets in. Immutable once made, shared by the handshakes that began with it.
class Tls {
 public:
  /// Errors name the key of the file, the path and what is wrong.
  static Result<std::shared_ptr<const Tls>> load(const config::WebTls& wanted);

  /// Makes a handshake that has just begun one of this configuration. False: OpenSSL would not.
  bool apply_to(ssl_st* handshake) const;

  const std::vector<std::string>& allowed_sans() const { return wanted_.client_allowed_sans; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };

  config::WebTls wanted_;
  std::string ciphers_;  ///< as OpenSSL writes the list; empty: its own
  std::string groups_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

/// civetweb calls OpenSSL by names that it looks up in a library called libssl.so, one of which OpenSSL 3 has
/// renamed: Debian's build ends at the first HTTPS request. This loads our own libssl.so, which adds that
/// name (openssl_names/), from beside the program, so that civetweb finds it loaded already.
Result<std::monostate> load_openssl_names();

}  // namespace ue::web
