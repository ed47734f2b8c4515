#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "cases.h"
#include "config/config.h"
#include "config/key_file.h"

namespace ue::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t kFull = 1 << 20;

std::string repeat(std::string_view piece, std::size_t size) {
  std::string out;
  while (out.size() + piece.size() <= size) out += piece;
  return out;
}

std::string error_of(std::string_view text) {
  const auto config = parse_config(text, "c.yaml");
  return config ? "accepted" : config.error();
}

TEST(HostileInput, BytesThatAreNoText) {
  using namespace std::string_view_literals;
  EXPECT_EQ(error_of("probe: {}\n\xff"), "c.yaml:2:1: not UTF-8: save the file as UTF-8 text");
  EXPECT_EQ(error_of("\xff\xfep\0r\0"sv), "c.yaml:1:1: not UTF-8: save the file as UTF-8 text");
  EXPECT_EQ(error_of("# 二\xe9\xe9\n"), "c.yaml:1:4: not UTF-8: save the file as UTF-8 text");
  EXPECT_EQ(error_of("probe: {}\0"sv), "c.yaml:1:10: a control character (0x00): remove it");
  // yaml-cpp takes U+0004 for the end of the file; what follows would be lost without a word.
  EXPECT_EQ(error_of("probe: {}\n\x04\nroutes: 5\n"), "c.yaml:2:1: a control character (0x04): remove it");
  EXPECT_EQ(error_of("probe: {}\rroutes: []"), "c.yaml:1:10: a control character (0x0d): remove it");
}

TEST(HostileInput, WindowsLineEndingsKeepTheirLines) {
  EXPECT_EQ(error_of("\xef\xbb\xbfprobe: {}\r\n\r\nroutes: 4\r\n"),
            "c.yaml:3:9: routes: expected a list ([] for none), found \"4\"");
}

TEST(HostileInput, Size) {
  EXPECT_EQ(error_of(std::string(kFull + 1, ' ')), "c.yaml: larger than 1048576 octets");
  EXPECT_EQ(error_of(std::string(kFull, ' ')), "accepted");
  EXPECT_EQ(error_of(std::string(kFull, '\n')), "accepted");
}

TEST(HostileInput, Depth) {
  EXPECT_EQ(error_of(repeat("- ", kFull)),
            "c.yaml:1:33: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested deeper than 16 levels");
  EXPECT_EQ(error_of("a: " + std::string(100, '[') + std::string(100, ']')),
            "c.yaml:1:19: a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested deeper than 16 levels");
}

TEST(HostileInput, Number) {
  EXPECT_THAT(error_of("witnesses: [" + repeat("a.b,", 100'000) + "a.b]"),
              HasSubstr(": more than 20000 values in one file"));
  std::string keys;
  for (int i = 0; keys.size() < 150'000; ++i) keys += "key" + std::to_string(i) + ": 1\n";
  EXPECT_THAT(error_of(keys), HasSubstr(": more than 20000 values in one file"));
}

TEST(HostileInput, AWholeMegabyteOfOpenBrackets) {
  const std::string never_closed =
      ": expected a key, found a list or a map; perhaps a bracket or a quotation mark in it is never closed";
  EXPECT_EQ(error_of(std::string(kFull, '[')), "c.yaml:1:1" + never_closed);
  EXPECT_EQ(error_of(repeat("{a: ", kFull)), "c.yaml:1:1" + never_closed);
}

TEST(HostileInput, AliasBomb) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c <= 'z'; ++c) {
    const std::string before = std::string("*") + static_cast<char>(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [" + before + "," + before + "," + before + "]\n";
  }
  EXPECT_EQ(
      error_of(bomb),
      "c.yaml:1:4: a: YAML anchors (&name) are not used here: remove it, or quote text that begins with '&'");
}

// Whatever is repeated, the answer is one short line.
TEST(HostileInput, ManyOfOneThing) {
  for (const auto* piece :
       {"[",   "{",   "]",     "}",    "[{",  "? ",          "!",   "&a ",   "*a ",        "\"",
        "'",   "\"a", ":",     ": ",   "a: ", "|",           ">\n", "---\n", "%TAG ! a\n", "a b ",
        "a\n", "[],", "{a: {", "\"\\", "\t",  "- a\n - b\n", "@",   "`"}) {
    const auto message = error_of(repeat(piece, kFull / 16));
    if (message == "accepted") {
      EXPECT_STREQ(piece, "\t");
      continue;
    }
    EXPECT_THAT(message, StartsWith("c.yaml:")) << piece;
    EXPECT_EQ(message.find('\n'), std::string::npos) << piece;
    EXPECT_LT(message.size(), 400U) << piece;
  }
}

TEST(HostileInput, MessagesAreSafeToPrint) {
  for (const std::string text :
       {"\"\\e]0;title\\a\": 1", "uplinks: \"\\e[2J\"", "uplinks: [{name: \"\\0\\x7f\"}]",
        "probe: {\"a\\nb: c\": 1}", "x: \"\\\x01\""}) {
    const auto message = error_of(text);
    ASSERT_NE(message, "accepted") << text;
    for (const char c : message) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) << message;
  }
}

// One octet changed, dropped or doubled anywhere: an answer or an error with a place, never a crash.
TEST(HostileInput, MutatedExamples) {
  std::minstd_rand random(7);
  const auto any = [&random](std::size_t n) { return static_cast<std::size_t>(random()) % n; };
  constexpr std::string_view kOctets = "{}[]:,-#&*!|>'\"%@`\\ \n\t\rx0\x00\x04\x7f\xff";
  for (const auto* name : {"example.yaml", "reflector_example.yaml"}) {
    const std::string good = read_data(name);
    ASSERT_FALSE(good.empty());
    for (int round = 0; round < 500; ++round) {
      std::string text = good;
      for (std::size_t edits = 1 + any(3); edits > 0; --edits) {
        const auto at = any(text.size());
        switch (any(3)) {
          case 0:
            text[at] = kOctets[any(kOctets.size())];
            break;
          case 1:
            text.erase(at, 1 + any(8));
            break;
          default:
            text.insert(at, text.substr(any(text.size()), any(12)));
            break;
        }
      }
      const auto agent = parse_config(text, "c.yaml");
      const auto reflector = parse_reflector_config(text, "c.yaml");
      const auto place = testing::MatchesRegex("c\\.yaml:[0-9]+:[0-9]+: .+");
      EXPECT_THAT(agent ? "c.yaml:0:0: ok" : agent.error(), place) << text;
      EXPECT_THAT(reflector ? "c.yaml:0:0: ok" : reflector.error(), place) << text;
    }
  }
}

TEST(HostileInput, KeyFiles) {
  using namespace std::string_view_literals;
  EXPECT_THAT(parse_key_file("gateway\0 1"sv, "k").error(), StartsWith("k:1: expected a line"));
  EXPECT_EQ(parse_key_file(std::string(kFull, '\n'), "k").error(),
            "k:1: no key in this file; make one with 'uplinktool keygen'");
  EXPECT_THAT(parse_key_file(repeat("gateway ", kFull), "k").error(), HasSubstr("found 131072 fields"));
}

}  // namespace
}  // namespace ue::config
