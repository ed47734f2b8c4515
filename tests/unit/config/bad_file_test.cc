#include <gtest/gtest.h>

#include <set>

#include "cases.h"
#include "config/config.h"
#include "config/key_file.h"

namespace ue::config {
namespace {

template <typename Parse>
void expect_messages(const std::string& file, std::size_t at_least, Parse parse) {
  const auto cases = read_cases(file);
  ASSERT_GE(cases.size(), at_least) << file << " was not read to its end";
  std::set<std::string> titles;
  for (const auto& c : cases) {
    EXPECT_TRUE(titles.insert(c.title).second) << "two cases are called " << c.title;
    const auto result = parse(c.text);
    if (result.ok()) {
      ADD_FAILURE() << c.title << ": this was accepted\n" << c.text;
    } else {
      EXPECT_EQ(result.error(), c.message) << c.title << "\n" << c.text;
    }
  }
}

TEST(BadFile, Agent) {
  expect_messages("bad_agent.txt", 114, [](const std::string& text) { return parse_config(text, "c.yaml"); });
}

TEST(BadFile, Reflector) {
  expect_messages("bad_reflector.txt", 24,
                  [](const std::string& text) { return parse_reflector_config(text, "c.yaml"); });
}

/// S and T of the data file as the secrets they stand for.
std::string with_secrets(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == 'S' || c == 'T') {
      out += std::string(64, c == 'S' ? 'a' : 'b');
    } else {
      out += c;
    }
  }
  return out;
}

TEST(BadFile, Keys) {
  expect_messages("bad_key.txt", 22,
                  [](const std::string& text) { return parse_key_file(with_secrets(text), "k"); });
}

TEST(BadFile, NoKeyMessageTellsASecret) {
  for (const auto& c : read_cases("bad_key.txt")) {
    const auto result = parse_key_file(with_secrets(c.text), "k");
    ASSERT_FALSE(result.ok());
    for (const auto* secret : {"aaaaaaaa", "bbbbbbbb"})
      EXPECT_EQ(result.error().find(secret), std::string::npos);
  }
}

}  // namespace
}  // namespace ue::config
