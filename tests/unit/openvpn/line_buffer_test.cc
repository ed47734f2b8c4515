#include "openvpn/line_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ue::openvpn {
namespace {

using testing::ElementsAre;

struct Fed {
  LineBuffer buffer{8};
  std::vector<std::string> lines;
  void operator()(std::string_view chunk) {
    buffer.feed(chunk, [this](std::string_view line, std::size_t) { lines.emplace_back(line); });
  }
};

TEST(LineBuffer, CutsLinesWhereverTheChunksEnd) {
  const std::string stream = "one\ntwo\r\n\nthree\n";
  for (std::size_t size = 1; size <= stream.size(); ++size) {
    Fed fed;
    for (std::size_t i = 0; i < stream.size(); i += size) fed(std::string_view(stream).substr(i, size));
    EXPECT_THAT(fed.lines, ElementsAre("one", "two", "", "three")) << size;
  }
}

TEST(LineBuffer, KeepsALineThatHasNotEnded) {
  Fed fed;
  fed("a\nbc");
  EXPECT_THAT(fed.lines, ElementsAre("a"));
  fed("d\n");
  EXPECT_THAT(fed.lines, ElementsAre("a", "bcd"));
}

TEST(LineBuffer, DropsAndCountsWhatIsTooLong) {
  Fed fed;
  fed("12345678\n123456789\nok\n");
  fed("1234");
  fed("56789");
  fed("0123");
  fed("x\nok2\n");
  EXPECT_THAT(fed.lines, ElementsAre("12345678", "ok", "ok2"));
  EXPECT_EQ(fed.buffer.overlong(), 2u);
}

TEST(LineBuffer, SkipsTheRestOfALineThatItDidNotSeeBegin) {
  Fed fed;
  fed.buffer.skip_to_newline();
  fed("rest of something long");
  fed(" and on\nnext\n");
  EXPECT_THAT(fed.lines, ElementsAre("next"));
  EXPECT_EQ(fed.buffer.overlong(), 0u);
}

TEST(LineBuffer, TellsWhereALineEnds) {
  LineBuffer buffer(8);
  std::vector<std::size_t> ends;
  buffer.feed("ab\nc\nd", [&](std::string_view, std::size_t end) { ends.push_back(end); });
  EXPECT_THAT(ends, ElementsAre(3u, 5u));
}

TEST(LineBuffer, CutsTheZerosOfAHole) {
  Fed fed;
  fed(std::string("\0\0\0ab\n\0\n", 8));
  EXPECT_THAT(fed.lines, ElementsAre("ab", ""));
}

}  // namespace
}  // namespace ue::openvpn
