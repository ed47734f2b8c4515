#include "metrics/catalogue.h"

#include <gtest/gtest.h>

#include <set>

namespace ue::metrics {
namespace {

TEST(Catalogue, NamesAreUniqueAndFollowTheConventions) {
  std::set<std::string_view> names;
  for (const Metric& m : kCatalogue) {
    EXPECT_TRUE(names.insert(m.name).second) << m.name;
    EXPECT_TRUE(is_label_name(m.name)) << m.name;  // no colon, so the same alphabet
    EXPECT_TRUE(m.name.starts_with("uplink_") || m.name.starts_with("openvpn_") ||
                m.name.starts_with("process_"))
        << m.name;
    EXPECT_EQ(m.type == kCounter, m.name.ends_with("_total")) << m.name;
    EXPECT_EQ(m.name, find_metric(m.name)->name);
  }
}

TEST(Catalogue, HelpIsOneSentence) {
  std::set<std::string_view> seen;
  for (const Metric& m : kCatalogue) {
    EXPECT_TRUE(m.help.ends_with('.')) << m.name;
    EXPECT_EQ(m.help.find('\n'), std::string_view::npos) << m.name;
  }
}

TEST(Catalogue, LabelsAreNamesAndNeverWhatGrowsWithoutBound) {
  for (const Metric& m : kCatalogue) {
    std::set<std::string_view> labels;
    for (std::size_t i = 0; i < m.label_count(); ++i) {
      EXPECT_TRUE(is_label_name(m.labels[i])) << m.name;
      EXPECT_TRUE(labels.insert(m.labels[i]).second) << m.name;
      for (const char* bad : {"address", "port", "time", "le", "quantile", "job", "instance"}) {
        EXPECT_NE(m.labels[i], bad) << m.name;
      }
    }
    for (std::size_t i = m.label_count(); i < m.labels.size(); ++i)
      EXPECT_TRUE(m.labels[i].empty()) << m.name;
  }
}

TEST(Catalogue, UnknownNamesAreNotFound) { EXPECT_EQ(find_metric("uplink_nothing"), nullptr); }

TEST(LabelName, AcceptsWhatPrometheusAccepts) {
  for (const char* good : {"a", "_a", "carrier", "asn2", "A_9"}) EXPECT_TRUE(is_label_name(good)) << good;
  for (const char* bad : {"", "9a", "a-b", "a.b", "a b", "__name__", "\xc3\xa4", "a\n"}) {
    EXPECT_FALSE(is_label_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace ue::metrics
