#include "openvpn/log_head.h"

#include <gtest/gtest.h>

#include <string>

namespace ue::openvpn {
namespace {

using Form = LogHead::Form;
using Zone = LogTime::Zone;

constexpr Nanos at(std::int64_t s, std::int64_t micros = 0) {
  return std::chrono::seconds(s) + std::chrono::microseconds(micros);
}

struct HeadCase {
  const char* line;
  Form form;
  const char* text;
  std::optional<LogTime> time;
};

class Heads : public testing::TestWithParam<HeadCase> {};

TEST_P(Heads, AreCutOffAndTheirTimeIsRead) {
  const LogHead head = split_head(GetParam().line);
  EXPECT_FALSE(head.foreign);
  EXPECT_EQ(head.form, GetParam().form);
  EXPECT_EQ(head.text, GetParam().text);
  EXPECT_EQ(head.time(), GetParam().time);
}

constexpr Nanos kMorning = at(1795424138);  // 2026-11-23 08:55:38 as UTC

INSTANTIATE_TEST_SUITE_P(
    All, Heads,
    testing::Values(
        HeadCase{"Mon Nov 23 08:55:38 2026 Restart pause", Form::ctime, "Restart pause",
                 LogTime{kMorning, Zone::local}},
        HeadCase{"Tue Nov  3 08:55:38 2026 x", Form::ctime, "x",
                 LogTime{kMorning - at(20 * 86400), Zone::local}},
        HeadCase{"Mon Nov 23 08:55:38 2026 us=937218 x", Form::ctime, "x", LogTime{kMorning, Zone::local}},
        HeadCase{"2026-11-23 08:55:38 x y", Form::iso, "x y", LogTime{kMorning, Zone::local}},
        HeadCase{"2026-11-23 08:55:38 us=1 x", Form::iso, "x", LogTime{kMorning, Zone::local}},
        HeadCase{"2026-11-23 08:55:38 us=x y", Form::iso, "us=x y", LogTime{kMorning, Zone::local}},
        HeadCase{"1795424138.054131 26000003 cn/10.99.0.2:58882 MULTI", Form::machine,
                 "cn/10.99.0.2:58882 MULTI", LogTime{kMorning + at(0, 54131), Zone::absolute}},
        HeadCase{"1795424138.054131 1 x", Form::machine, "x",
                 LogTime{kMorning + at(0, 54131), Zone::absolute}},
        HeadCase{"Nov 23 08:55:38 gw openvpn[812]: x", Form::syslog, "x",
                 LogTime{at(974969738), Zone::local_no_year}},
        HeadCase{"Nov 23 08:55:38 gw ovpn-cloud[812]: 2026-11-23 08:55:38 x", Form::iso, "x",
                 LogTime{kMorning, Zone::local}},
        HeadCase{"2026-11-23T08:55:38.25+00:00 gw ovpn-cloud[812]: x", Form::syslog_iso, "x",
                 LogTime{kMorning + at(0, 250000), Zone::absolute}},
        HeadCase{"2026-11-23T17:55:38+0900 gw openvpn: x", Form::syslog_iso, "x",
                 LogTime{kMorning, Zone::absolute}},
        HeadCase{"2026-11-23T02:25:38-06:30 gw openvpn: 2026-11-23 02:25:38 x", Form::syslog_iso, "x",
                 LogTime{kMorning, Zone::absolute}},
        HeadCase{"2026-11-23T08:55:38+0000 [stdout#info] [OVPN 2] OUT: '2026-11-23 08:55:38 10.0.0.1:5 x'",
                 Form::iso, "10.0.0.1:5 x", LogTime{kMorning, Zone::local}},
        HeadCase{"Nov 23 08:55:38 as openvpnas: [-] [OVPN 0] OUT: '2026-11-23 08:55:38 x'", Form::iso, "x",
                 LogTime{kMorning, Zone::local}},
        HeadCase{"Restart pause, 1 second(s)", Form::none, "Restart pause, 1 second(s)", std::nullopt},
        // No dates, though they look like some.
        HeadCase{"202:-11-23 08:55:38 x", Form::none, "202:-11-23 08:55:38 x", std::nullopt},
        HeadCase{"2026-11/23 08:55:38 x", Form::none, "2026-11/23 08:55:38 x", std::nullopt},
        HeadCase{"2026-11-23 08:55:3/ x", Form::none, "2026-11-23 08:55:3/ x", std::nullopt},
        HeadCase{"2026\xac"
                 "11-23 08:55:38 x",
                 Form::none,
                 "2026\xac"
                 "11-23 08:55:38 x",
                 std::nullopt},
        HeadCase{"2026-13-23 08:55:38 x", Form::iso, "x", std::nullopt},
        HeadCase{"2026-02-30 08:55:38 x", Form::iso, "x", std::nullopt},
        HeadCase{"0000-01-01 08:55:38 x", Form::iso, "x", std::nullopt},
        HeadCase{"Mon Foo 23 08:55:38 2026 x", Form::ctime, "x", std::nullopt},
        HeadCase{"Mon ovD 23 08:55:38 2026 x", Form::ctime, "x", std::nullopt},
        HeadCase{"999999999999.000000 1 x", Form::machine, "x", std::nullopt},
        HeadCase{"1795424138.054131 zz x", Form::none, "1795424138.054131 zz x", std::nullopt},
        HeadCase{"2026-11-23", Form::none, "2026-11-23", std::nullopt},
        HeadCase{"", Form::none, "", std::nullopt}));

TEST(LogHead, LinesOfOtherProgramsAreForeign) {
  EXPECT_TRUE(split_head("Nov 23 08:55:38 gw sshd[1]: Initialization Sequence Completed").foreign);
  EXPECT_TRUE(split_head("Nov 23 08:55:38 gw sshd[1]: openvpn: Initialization Sequence Completed").foreign);
  EXPECT_TRUE(split_head("2026-11-23T08:55:38+00:00 gw kernel: x").foreign);
  EXPECT_TRUE(split_head("Nov 23 08:55:38 gw").foreign);
}

TEST(LogHead, HoldsHostileLines) {
  const std::string big(64 * 1024, 'x');
  EXPECT_EQ(split_head(big).text, big);
  EXPECT_EQ(split_head("2026-11-23 08:55:38 " + big).form, Form::iso);
  EXPECT_TRUE(split_head("2026-11-23T08:55:38+00:00 " + big).foreign);
  EXPECT_EQ(split_head(std::string("\0\x1b[31m\n", 7)).form, Form::none);
  EXPECT_EQ(split_head("2026-11-23T08:55:38" + big + " gw openvpn: x").form, Form::syslog_iso);
}

}  // namespace
}  // namespace ue::openvpn
