#include "metrics/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "metrics/render.h"
#include "metrics/utf8.h"
#include "sample.h"

namespace ue::metrics {
namespace {

using testing::HasSubstr;

prometheus::MetricFamily gauge(const std::string& name, const std::string& help,
                               const std::vector<std::string>& label_values) {
  prometheus::MetricFamily f{name, help, prometheus::MetricType::Gauge, {}};
  double n = 0;
  for (const auto& v : label_values) {
    prometheus::ClientMetric m;
    m.label = {{"l", v}};
    m.gauge.value = ++n;
    f.metric.push_back(m);
  }
  return f;
}

TEST(Text, HelpIsEscaped) {
  EXPECT_EQ(to_text({gauge("a", "back\\slash and\nbreak", {"x"})}),
            "# HELP a back\\\\slash and\\nbreak\n# TYPE a gauge\na{l=\"x\"} 1\n");
}

TEST(Text, LabelValuesAreEscaped) {
  EXPECT_THAT(to_text({gauge("a", "h", {"quote\" back\\ break\n"})}),
              HasSubstr("a{l=\"quote\\\" back\\\\ break\\n\"} 1\n"));
}

TEST(Text, FamiliesAndSeriesAreSorted) {
  const auto a = gauge("a", "h", {"2", "1"});
  const auto b = gauge("b", "h", {"x"});
  const std::string text = to_text({b, a});
  EXPECT_EQ(text,
            "# HELP a h\n# TYPE a gauge\na{l=\"1\"} 2\na{l=\"2\"} 1\n"
            "# HELP b h\n# TYPE b gauge\nb{l=\"x\"} 1\n");
  EXPECT_EQ(text, to_text({a, b}));
}

TEST(Text, OfSeriesThatBecomeEqualTheFirstStays) {
  EXPECT_EQ(to_text({gauge("a", "h", {"\xff", "\xfe", "b"})}),
            "# HELP a h\n# TYPE a gauge\na{l=\"b\"} 3\na{l=\"\xef\xbf\xbd\"} 1\n");
}

TEST(Utf8, WellFormedTextStays) {
  for (const char* good :
       {"", "plain", "\xc3\xa4", "\xe5\x9b\x9e\xe7\xb7\x9a", "\xf0\x9f\x8c\x90", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(valid_utf8(good), good);
  }
}

TEST(Utf8, WhatIsNotWellFormedIsReplaced) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(valid_utf8("a\xff"
                       "b"),
            "a" + r + "b");
  EXPECT_EQ(valid_utf8("\xc3"), r);                          // cut off
  EXPECT_EQ(valid_utf8("\xe5\x9b"), r + r);                  // cut off
  EXPECT_EQ(valid_utf8("\xc0\xaf"), r + r);                  // overlong
  EXPECT_EQ(valid_utf8("\xe0\x80\xaf"), r + r + r);          // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), r + r + r);          // surrogate
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), r + r + r + r);  // past U+10FFFF
  EXPECT_EQ(valid_utf8("\xc3("), r + "(");                   // the octet after a bad lead is kept
  EXPECT_EQ(valid_utf8(std::string_view("a\0b", 3)), "a" + r + "b");
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The whole page of a full snapshot; where it differs, the new page is left beside the other test output to
/// look at.
TEST(Golden, AFullSnapshotGivesTheWholePage) {
  const std::string page = to_text(render(*sample_snapshot()));
  if (page != read(UPLINK_TEST_DATA "/metrics/golden.prom")) {
    const std::string path = testing::TempDir() + "uplink_golden_actual.prom";
    std::ofstream(path, std::ios::binary) << page;
    FAIL() << "the page differs from tests/data/metrics/golden.prom; it is in " << path;
  }
}

struct PromtoolRun {
  int status;
  std::string output;
};

PromtoolRun promtool_check(const std::string& page) {
  const std::string path = testing::TempDir() + "uplink_promtool_" + std::to_string(getpid()) + ".prom";
  std::ofstream(path, std::ios::binary) << page;
  std::FILE* pipe = popen(("promtool check metrics < " + path + " 2>&1").c_str(), "r");
  std::string output;
  char buffer[512];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  const int status = pclose(pipe);
  std::remove(path.c_str());
  return {status, output};
}

TEST(Promtool, FindsNothingInTheAgentsPage) {
  const auto run = promtool_check(to_text(render(*sample_snapshot())));
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_EQ(run.output, "");
}

TEST(Promtool, FindsNothingInTheReflectorsPage) {
  const auto run = promtool_check(to_text(render(*sample_reflector_snapshot())));
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_EQ(run.output, "");
}

TEST(Promtool, ParsesAPageWithHostileNames) {
  auto s = sample_snapshot();
  auto uplink = std::make_shared<Uplink>(*s->uplinks[0]);
  uplink->name = std::string("a\"b\\c\nd} 1 \xff\xc0\x00", 14);
  uplink->labels = {{"bad-name", "x"}, {"carrier", "\xe5\x9b\x9e\n# TYPE x gauge"}};
  s->uplinks.push_back(uplink);
  const auto run = promtool_check(to_text(render(*s)));
  EXPECT_EQ(run.status, 0) << run.output;
  EXPECT_EQ(run.output, "");
}

TEST(Promtool, WouldHaveComplained) { EXPECT_NE(promtool_check("# TYPE x counter\nx{ 1\n").status, 0); }

}  // namespace
}  // namespace ue::metrics
