#include "base/hmac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace ue {

namespace {

using MacContext = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;

/// What a thread has prepared: fetching the algorithm and hashing a key's pads costs more than a packet's
/// HMAC. Keys are random, so their first octets tell them apart; two that share a place take turns.
class Prepared {
 public:
  /// A context for `key`, ready for data.
  EVP_MAC_CTX* begin(ByteView key) {
    if (key.empty() || key.size() > kMaxKey) return init(any_.context.get(), key);
    auto& place = places_[key[0]];
    if (place.size == key.size() && std::equal(key.begin(), key.end(), place.key.begin()) &&
        EVP_MAC_init(place.context.get(), nullptr, 0, nullptr) == 1)
      return place.context.get();
    place.size = key.size();
    std::copy(key.begin(), key.end(), place.key.begin());
    return init(place.context.get(), key);
  }

 private:
  static constexpr std::size_t kMaxKey = 32;
  struct Context {
    MacContext context{create(), &EVP_MAC_CTX_free};
    std::array<std::uint8_t, kMaxKey> key{};
    std::size_t size = 0;  ///< 0: no key yet
  };
  static EVP_MAC_CTX* create() {
    EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    auto* context = EVP_MAC_CTX_new(mac);
    EVP_MAC_free(mac);
    return context;
  }
  static EVP_MAC_CTX* init(EVP_MAC_CTX* context, ByteView key) {
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    // A null pointer would mean the key of the call before.
    const std::uint8_t none = 0;
    return EVP_MAC_init(context, key.empty() ? &none : key.data(), key.size(), params) == 1 ? context
                                                                                            : nullptr;
  }

  Context any_;
  std::array<Context, 256> places_;
};

}  // namespace

Digest hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  thread_local const auto prepared = std::make_unique<Prepared>();
  EVP_MAC_CTX* context = prepared->begin(key);
  Digest digest{};
  std::size_t size = 0;
  bool ok = context != nullptr;
  for (const auto part : parts) ok = ok && EVP_MAC_update(context, part.data(), part.size()) == 1;
  ok = ok && EVP_MAC_final(context, digest.data(), &size, digest.size()) == 1 && size == digest.size();
  if (!ok) std::abort();  // libcrypto without SHA-256: nothing here can be trusted
  return digest;
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace ue
