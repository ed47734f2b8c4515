#include "base/hmac.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace ue {
namespace {

std::string mac(ByteView key, std::initializer_list<ByteView> parts) {
  return to_hex(ByteView(hmac_sha256(key, parts)));
}

// RFC 4231 §4.2 to §4.8.
TEST(Hmac, PublishedVectors) {
  EXPECT_EQ(mac(Bytes(20, 0x0b), {as_bytes("Hi There")}),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(mac(as_bytes("Jefe"), {as_bytes("what do ya want for nothing?")}),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(mac(Bytes(20, 0xaa), {Bytes(50, 0xdd)}),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  Bytes counting(25);
  for (std::size_t i = 0; i < counting.size(); ++i) counting[i] = static_cast<std::uint8_t>(i + 1);
  EXPECT_EQ(mac(counting, {Bytes(50, 0xcd)}),
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
  EXPECT_EQ(mac(Bytes(20, 0x0c), {as_bytes("Test With Truncation")}).substr(0, 32),
            "a3b6167473100ee06e0c796c2955552b");
  EXPECT_EQ(mac(Bytes(131, 0xaa), {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")}),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(mac(Bytes(131, 0xaa), {as_bytes("This is a test using a larger than block-size key and a larger "
                                            "than block-size data. The key needs to be hashed before being "
                                            "used by the HMAC algorithm.")}),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

// Keys and messages of every length about a block's, and two, in two parts that meet anywhere.
TEST(Hmac, AgreesWithLibcryptoWhateverTheLengths) {
  Bytes octets(200);
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(i * 151 + 7);
  const ByteView all(octets);
  for (const std::size_t key : {1, 31, 32, 63, 64, 65, 127, 128, 129, 200}) {
    for (std::size_t length = 0; length <= 140; ++length) {
      Digest expected{};
      unsigned size = 0;
      HMAC(EVP_sha256(), all.data(), static_cast<int>(key), all.data(), length, expected.data(), &size);
      ASSERT_EQ(size, expected.size());
      const auto cut = length * 5 / 7;
      ASSERT_EQ(to_hex(ByteView(expected)),
                mac(all.first(key), {all.first(cut), all.subspan(cut, length - cut)}))
          << key << " " << length;
    }
  }
}

TEST(Hmac, PartsAreConcatenated) {
  const auto key = as_bytes("Jefe");
  EXPECT_EQ(mac(key, {as_bytes("what do ya "), {}, as_bytes("want for nothing?")}),
            mac(key, {as_bytes("what do ya want for nothing?")}));
}

// Of the empty key and message, as widely published; the call before must leave no key behind.
TEST(Hmac, AnEmptyKeyIsAKey) {
  mac(as_bytes("another key"), {as_bytes("x")});
  EXPECT_EQ(mac({}, {}), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

// What is prepared for one key must serve no other, whatever their first octets are.
TEST(Hmac, KeysTakingTurnsAreNotConfused) {
  const auto first = mac(as_bytes("key one"), {as_bytes("x")});
  const auto second = mac(as_bytes("key two"), {as_bytes("x")});
  const auto longer = mac(as_bytes("key one and more"), {as_bytes("x")});
  EXPECT_NE(first, second);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(mac(as_bytes("key one"), {as_bytes("x")}), first);
    EXPECT_EQ(mac(as_bytes("key one"), {as_bytes("x")}), first);
    EXPECT_EQ(mac(as_bytes("key two"), {as_bytes("x")}), second);
    EXPECT_EQ(mac(as_bytes("key one and more"), {as_bytes("x")}), longer);
  }
}

TEST(Hmac, ComparesWholeDigests) {
  const Bytes a{1, 2, 3};
  EXPECT_TRUE(equal_constant_time(a, Bytes{1, 2, 3}));
  EXPECT_FALSE(equal_constant_time(a, Bytes{1, 2, 4}));
  EXPECT_FALSE(equal_constant_time(a, Bytes{1, 2}));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

}  // namespace
}  // namespace ue
