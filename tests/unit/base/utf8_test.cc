#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ue {
namespace {

TEST(Utf8, KnowsCharactersFromWhatLooksLikeThem) {
  const std::vector<std::pair<std::string, std::size_t>> rows = {
      {"a", 1},
      {std::string(1, '\0'), 1},
      {"\xc2\x80", 2},
      {"\xe4\xba\x8c and more", 3},
      {"\xf0\x9f\x9b\x9c", 4},
      {"\xf4\x8f\xbf\xbf", 4},  // U+10FFFF
      {"\x80", 0},              // a continuation alone
      {"\xc0\xaf", 0},          // over-long '/'
      {"\xc1\xbf", 0},
      {"\xe0\x9f\xbf", 0},  // over-long
      {"\xf0\x8f\xbf\xbf", 0},
      {"\xed\xa0\x80", 0},      // a surrogate
      {"\xf4\x90\x80\x80", 0},  // above U+10FFFF
      {"\xf5\x80\x80\x80", 0},
      {"\xe4\xba", 0},  // cut
      {"\xe4\xba"
       "a",
       0},
  };
  for (const auto& [text, size] : rows) EXPECT_EQ(utf8_size(text), size) << testing::PrintToString(text);
}

}  // namespace
}  // namespace ue
