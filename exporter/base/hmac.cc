#include "base/hmac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <cstdlib>
#include <memory>

namespace ue {

namespace {

using MacContext = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;

/// One context a thread: fetching the algorithm costs more than a packet's HMAC.
EVP_MAC_CTX* thread_context() {
  thread_local MacContext context = [] {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    MacContext c(EVP_MAC_CTX_new(mac), &EVP_MAC_CTX_free);
    EVP_MAC_free(mac);
    return c;
  }();
  return context.get();
}

}  // namespace

Digest hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  EVP_MAC_CTX* context = thread_context();
  char name[] = "SHA256";
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                               OSSL_PARAM_construct_end()};
  Digest digest{};
  std::size_t size = 0;
  // A null pointer would mean the key of the call before.
  const std::uint8_t none = 0;
  bool ok = EVP_MAC_init(context, key.empty() ? &none : key.data(), key.size(), params) == 1;
  for (const auto part : parts) ok = ok && EVP_MAC_update(context, part.data(), part.size()) == 1;
  ok = ok && EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1 && size == digest.size();
  if (!ok) std::abort();  // libcrypto without SHA-256: nothing here can be trusted
  return digest;
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace ue
