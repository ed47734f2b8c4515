#include "base/bytes.h"

#include <gtest/gtest.h>

#include <set>

namespace ue {
namespace {

TEST(Bytes, BigEndian) {
  std::array<std::uint8_t, 8> b{};
  put_u64(b.data(), 0x0123456789abcdef);
  EXPECT_EQ(b, (std::array<std::uint8_t, 8>{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}));
  EXPECT_EQ(get_u64(b.data()), 0x0123456789abcdefU);
  EXPECT_EQ(get_u32(b.data() + 4), 0x89abcdefU);
  EXPECT_EQ(get_u16(b.data() + 6), 0xcdefU);
  put_u16(b.data(), 0xfffe);
  EXPECT_EQ(get_u16(b.data()), 0xfffe);
}

TEST(Hex, GoesThereAndBack) {
  EXPECT_EQ(to_hex(ByteView()), "");
  EXPECT_EQ(to_hex(Bytes{0x00, 0x7f, 0xff}), "007fff");
  EXPECT_EQ(from_hex("007FfF"), (Bytes{0x00, 0x7f, 0xff}));
  EXPECT_EQ(from_hex(""), Bytes{});
  EXPECT_EQ(to_hex(std::uint64_t{0x1f}), "000000000000001f");
  EXPECT_EQ(u64_from_hex("000000000000001f"), 0x1fU);
  EXPECT_EQ(u64_from_hex("F"), 15U);
  EXPECT_EQ(u64_from_hex("ffffffffffffffff"), ~std::uint64_t{0});
}

TEST(Hex, RefusesWhatIsNone) {
  for (const auto* text : {"0", "0g", "g0", "0x", " 0", "0 ", "00 00", "-1"})
    EXPECT_FALSE(from_hex(text)) << text;
  for (const auto* text : {"", "g", "0x1", "-1", " 1", "00000000000000001"})
    EXPECT_FALSE(u64_from_hex(text)) << text;
}

TEST(Random, FillsAllAndDoesNotRepeat) {
  std::set<std::uint64_t> seen;
  std::uint64_t ones = 0;
  for (int i = 0; i < 64; ++i) {
    const auto v = random_u64();
    seen.insert(v);
    ones |= v;
  }
  EXPECT_EQ(seen.size(), 64U);
  EXPECT_EQ(ones, ~std::uint64_t{0});  // every bit was set once; wrong once in 2^58 runs
}

}  // namespace
}  // namespace ue
