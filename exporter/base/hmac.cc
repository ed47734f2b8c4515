// The old names of SHA-256: the new ones (EVP) have libcrypto register every algorithm it knows, which costs
// a small gateway 2.5 MiB, and allocate for every packet.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/hmac.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>

namespace ue {

namespace {

constexpr std::size_t kBlock = 64;  // octets, of SHA-256

void feed(SHA256_CTX& state, ByteView bytes) { SHA256_Update(&state, bytes.data(), bytes.size()); }

/// What both hashes of an HMAC begin with (RFC 2104 §2), computed once a key: hashing the pads costs as much
/// as a packet.
struct Pads {
  SHA256_CTX inner{};
  SHA256_CTX outer{};

  explicit Pads(ByteView key) {
    std::array<std::uint8_t, kBlock> pad{};
    if (key.size() > kBlock) {
      SHA256(key.data(), key.size(), pad.data());
    } else {
      std::copy(key.begin(), key.end(), pad.begin());
    }
    for (auto& octet : pad) octet ^= 0x36;
    SHA256_Init(&inner);
    feed(inner, pad);
    for (auto& octet : pad) octet ^= 0x36 ^ 0x5c;
    SHA256_Init(&outer);
    feed(outer, pad);
    OPENSSL_cleanse(pad.data(), pad.size());
  }
};

/// What a thread has prepared. Keys are random, so their first octets tell them apart; two that share a place
/// take turns.
class Prepared {
 public:
  const Pads& of(ByteView key) {
    auto& place = places_[key.empty() ? 0 : key[0]];
    if (!place || !std::equal(key.begin(), key.end(), place->key.begin(), place->key.end()))
      place = std::make_unique<Place>(key);
    return place->pads;
  }

 private:
  struct Place {
    explicit Place(ByteView k) : key(k.begin(), k.end()), pads(k) {}
    Place(const Place&) = delete;
    ~Place() {
      OPENSSL_cleanse(key.data(), key.size());
      OPENSSL_cleanse(&pads, sizeof pads);
    }
    Bytes key;
    Pads pads;
  };
  std::array<std::unique_ptr<Place>, 256> places_;
};

/// The outer hash (RFC 2104 §2): of its pad, which `state` has had, and 32 octets, which leave room in one
/// block for the end that SHA-256 puts to every message (FIPS 180-4 §5.1.1): a one bit and the length in
/// bits.
Digest finish(SHA256_CTX state, const Digest& inner) {
  constexpr std::size_t kBits = (kBlock + sizeof inner) * 8;
  std::array<std::uint8_t, kBlock> block{};
  std::copy(inner.begin(), inner.end(), block.begin());
  block[inner.size()] = 0x80;
  put_u16(&block[kBlock - 2], kBits);
  SHA256_Transform(&state, block.data());
  Digest digest{};
  for (std::size_t i = 0; i < 8; ++i) put_u32(&digest[4 * i], state.h[i]);
  return digest;
}

}  // namespace

Digest hmac_sha256(ByteView key, std::initializer_list<ByteView> parts) {
  thread_local const auto prepared = std::make_unique<Prepared>();
  const Pads& pads = prepared->of(key);
  Digest digest{};
  SHA256_CTX state = pads.inner;
  for (const auto part : parts) feed(state, part);
  SHA256_Final(digest.data(), &state);
  return finish(pads.outer, digest);
}

bool equal_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace ue
