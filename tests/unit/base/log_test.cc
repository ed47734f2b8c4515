#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ue::log {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

template <typename F>
std::string captured(F&& write_something) {
  testing::internal::CaptureStderr();
  write_something();
  return testing::internal::GetCapturedStderr();
}

class Log : public testing::Test {
 protected:
  ~Log() override { EXPECT_TRUE(configure("info", "logfmt")); }
};

TEST_F(Log, Logfmt) {
  ASSERT_TRUE(configure("info", "logfmt"));
  const auto line = captured([] { warn("SOME_ID", "{} of {}", 1, "{}"); });
  EXPECT_THAT(line,
              MatchesRegex("ts=[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\\.[0-9]+Z level=warn id=SOME_ID "
                           "msg=\"1 of \\{\\}\"\n"));
}

TEST_F(Log, Json) {
  ASSERT_TRUE(configure("info", "json"));
  const auto line = captured([] { error("SOME_ID", "text"); });
  EXPECT_THAT(
      line,
      MatchesRegex("\\{\"ts\":\"[^\"]+Z\",\"level\":\"error\",\"id\":\"SOME_ID\",\"msg\":\"text\"\\}\n"));
}

TEST_F(Log, QuotesWhatStrangersWrite) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"say \"no\"", R"("say \"no\"")"},
      {R"(C:\x)", R"("C:\\x")"},
      {"a\nmsg=forged", R"("a\nmsg=forged")"},
      {"tab\tend", R"("tab\u0009end")"},
      {"\x1b[31mred\x7f", R"("\u001b[31mred\u007f")"},
      {"\xc2\x9b"
       "31m",
       R"("\u009b31m")"},  // CSI as one C1 character
      {"二階", "\"二階\""},
      {"cut \xe4\xba", R"("cut \ufffd\ufffd")"},
      {"\xff\xc0\xaf", R"("\ufffd\ufffd\ufffd")"},
      {std::string("nul\0end", 7), R"("nul\u0000end")"},
  };
  for (const auto& [message, quoted] : rows) {
    const auto line = captured([&m = message] { write(Level::error, "ID", m); });
    EXPECT_THAT(line, HasSubstr(" msg=" + quoted + "\n"));
  }
}

TEST_F(Log, HoldsBackWhatIsBelowTheLevel) {
  ASSERT_TRUE(configure("warn", "logfmt"));
  EXPECT_EQ(captured([] { info("ID", "quiet"); }), "");
  EXPECT_THAT(captured([] { warn("ID", "loud"); }), HasSubstr("loud"));
  ASSERT_TRUE(configure("debug", "logfmt"));
  EXPECT_THAT(captured([] { debug("ID", "all"); }), HasSubstr("level=debug"));
}

TEST_F(Log, NamesTheFlagThatIsWrong) {
  EXPECT_EQ(configure("loud", "json").error(), "--log.level: 'loud' is not one of debug, info, warn, error");
  EXPECT_EQ(configure("info", "xml").error(), "--log.format: 'xml' is not one of logfmt, json");
}

}  // namespace
}  // namespace ue::log
