#include "base/hmac.h"

#include <gtest/gtest.h>

namespace ue {
namespace {

std::string mac(ByteView key, std::initializer_list<ByteView> parts) {
  return to_hex(ByteView(hmac_sha256(key, parts)));
}

// RFC 4231 §4.2 to §4.4 and §4.7.
TEST(Hmac, PublishedVectors) {
  EXPECT_EQ(mac(Bytes(20, 0x0b), {as_bytes("Hi There")}),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(mac(as_bytes("Jefe"), {as_bytes("what do ya want for nothing?")}),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(mac(Bytes(20, 0xaa), {Bytes(50, 0xdd)}),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
  EXPECT_EQ(mac(Bytes(131, 0xaa), {as_bytes("Test Using Larger Than Block-Size Key - Hash Key First")}),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
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
