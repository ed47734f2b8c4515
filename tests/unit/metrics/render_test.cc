#include "metrics/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "metrics/families.h"
#include "sample.h"

namespace ue::metrics {
namespace {

using Labels = std::map<std::string, std::string>;

const prometheus::MetricFamily* family(const std::vector<prometheus::MetricFamily>& all,
                                       const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& f) { return f.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Labels labels_of(const prometheus::ClientMetric& m) {
  Labels out;
  for (const auto& l : m.label) out[l.name] = l.value;
  return out;
}

/// Value of a counter or gauge; -1 where there is no such series.
double value(const std::vector<prometheus::MetricFamily>& all, const std::string& name,
             const Labels& labels) {
  const auto* f = family(all, name);
  if (f == nullptr) return -1;
  for (const auto& m : f->metric) {
    if (labels_of(m) == labels) return f->type == kCounter ? m.counter.value : m.gauge.value;
  }
  return -1;
}

/// For each group of series that differ only in `state`: the number of ones, and how many series it has.
std::map<Labels, std::pair<double, int>> state_groups(const prometheus::MetricFamily& f,
                                                      const std::string& state) {
  std::map<Labels, std::pair<double, int>> out;
  for (const auto& m : f.metric) {
    Labels labels = labels_of(m);
    labels.erase(state);
    out[labels].first += m.gauge.value;
    ++out[labels].second;
  }
  return out;
}

TEST(Render, ALifetimeIsABracketThatMayBeOpen) {
  const auto all = render(*sample_snapshot());
  const auto lifetime = [&](const char* pattern, const char* bound) {
    return value(all, "uplink_udp_mapping_lifetime_seconds",
                 {{"uplink", "mansion"}, {"reflector", "cloud"}, {"pattern", pattern}, {"bound", bound}});
  };
  EXPECT_EQ(lifetime("stream", "lower"), 5);
  EXPECT_EQ(lifetime("stream", "upper"), 10);
  EXPECT_EQ(lifetime("solitary", "upper"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(lifetime("active", "lower"), -1) << "what is not measured is absent";
  EXPECT_EQ(value(all, "uplink_udp_hold_replies_total",
                  {{"uplink", "mansion"}, {"reflector", "cloud"}, {"pattern", "stream"}, {"hold", "10"}}),
            1);
}

TEST(Render, EveryStateSetHasExactlyOneOne) {
  const auto all = render(*sample_snapshot());
  struct Case {
    const char* metric;
    const char* label;
    std::size_t groups;
    int states;
  };
  for (const Case& c :
       {Case{"uplink_verdict", "verdict", 2, 14}, Case{"uplink_path_verdict", "verdict", 2, 14},
        Case{"uplink_fault_scope", "scope", 2, 5}, Case{"openvpn_state", "state", 1, 7}}) {
    ASSERT_NE(family(all, c.metric), nullptr) << c.metric;
    const auto groups = state_groups(*family(all, c.metric), c.label);
    EXPECT_EQ(groups.size(), c.groups) << c.metric;
    for (const auto& [labels, seen] : groups) {
      EXPECT_EQ(seen.first, 1) << c.metric;
      EXPECT_EQ(seen.second, c.states) << c.metric;
    }
  }
  EXPECT_EQ(value(all, "uplink_verdict", {{"uplink", "mansion"}, {"verdict", "one_way"}}), 1);
  EXPECT_EQ(value(all, "uplink_verdict", {{"uplink", "mansion"}, {"verdict", "healthy"}}), 0);
  EXPECT_EQ(value(all, "uplink_fault_scope", {{"uplink", "mansion"}, {"scope", "carrier"}}), 1);
  EXPECT_EQ(value(all, "openvpn_state", {{"tunnel", "cloud"}, {"state", "reconnecting"}}), 1);
}

TEST(Render, AStateNobodyKnowsIsUnknown) {
  Snapshot s;
  auto tunnel = std::make_shared<Tunnel>();
  tunnel->name = "t";
  tunnel->state = "levitating";
  auto uplink = std::make_shared<Uplink>();
  uplink->name = "u";
  uplink->scope = "moon";
  s.tunnels = {tunnel};
  s.uplinks = {uplink};
  const auto all = render(s);
  EXPECT_EQ(value(all, "openvpn_state", {{"tunnel", "t"}, {"state", "unknown"}}), 1);
  EXPECT_EQ(value(all, "uplink_fault_scope", {{"uplink", "u"}, {"scope", "unknown"}}), 1);
}

TEST(Render, AFreshSnapshotHasItsCountersAtZeroAndNoUnmeasuredGauge) {
  Snapshot s;
  auto path = std::make_shared<Path>();
  path->uplink = "u";
  path->reflector = "r";
  auto uplink = std::make_shared<Uplink>();
  uplink->name = "u";
  uplink->paths = {path};
  s.uplinks = {uplink};
  const auto all = render(s);
  for (const char* flow : {"steady", "fresh"}) {
    for (const char* name : {"uplink_udp_probes_sent_total", "uplink_udp_probes_delivered_total",
                             "uplink_udp_replies_received_total", "uplink_udp_forward_lost_total",
                             "uplink_udp_return_lost_total", "uplink_udp_unattributed_lost_total"}) {
      EXPECT_EQ(value(all, name, {{"uplink", "u"}, {"reflector", "r"}, {"flow", flow}}), 0) << name;
    }
  }
  EXPECT_EQ(value(all, "uplink_verdict_changes_total", {{"uplink", "u"}}), 0);
  EXPECT_EQ(value(all, "uplink_netlink_overruns_total", {}), 0);
  for (const char* absent :
       {"uplink_link_up", "uplink_default_route", "uplink_gateway_reachable", "uplink_preflight_ok",
        "uplink_verdict_last_change_timestamp_seconds", "uplink_udp_last_reply_timestamp_seconds",
        "uplink_udp_rtt_seconds", "uplink_reflector_up", "openvpn_state", "uplink_exporter_collector_up"}) {
    EXPECT_EQ(family(all, absent), nullptr) << absent;
  }
}

TEST(Render, LossesOfBothFlowsKeepTheirDirection) {
  const auto all = render(*sample_snapshot());
  const Labels steady{{"uplink", "mansion"}, {"reflector", "cloud"}, {"flow", "steady"}};
  const Labels fresh{{"uplink", "mansion"}, {"reflector", "cloud"}, {"flow", "fresh"}};
  EXPECT_EQ(value(all, "uplink_udp_probes_sent_total", steady), 100);
  EXPECT_EQ(value(all, "uplink_udp_probes_delivered_total", steady), 98);
  EXPECT_EQ(value(all, "uplink_udp_replies_received_total", steady), 40);
  EXPECT_EQ(value(all, "uplink_udp_forward_lost_total", steady), 2);
  EXPECT_EQ(value(all, "uplink_udp_return_lost_total", steady), 55);
  EXPECT_EQ(value(all, "uplink_udp_unattributed_lost_total", steady), 3);
  EXPECT_EQ(value(all, "uplink_udp_return_lost_total", fresh), 28);
}

TEST(Render, HistogramsAreCumulative) {
  const auto all = render(*sample_snapshot());
  const auto* f = family(all, "uplink_udp_rtt_seconds");
  ASSERT_NE(f, nullptr);
  ASSERT_EQ(f->metric.size(), 2u);
  const auto& h = f->metric[0].histogram;
  ASSERT_EQ(h.bucket.size(), 4u);
  EXPECT_EQ(h.bucket[0].cumulative_count, 3u);
  EXPECT_EQ(h.bucket[1].cumulative_count, 53u);
  EXPECT_EQ(h.bucket[2].cumulative_count, 59u);
  EXPECT_EQ(h.bucket[3].cumulative_count, 60u);
  EXPECT_TRUE(std::isinf(h.bucket[3].upper_bound));
  EXPECT_EQ(h.sample_count, 60u);
  EXPECT_DOUBLE_EQ(h.sample_sum, 0.75);
}

TEST(Render, ExtraLabelsOfAnUplinkThatAreNoLabelNamesAreLeftOut) {
  Snapshot s;
  auto uplink = std::make_shared<Uplink>();
  uplink->name = "u";
  uplink->interface = "eth0";
  uplink->labels = {{"carrier", "isp"}, {"bad-name", "x"}, {"__name__", "up"}, {"uplink", "fake"}, {"", "y"}};
  s.uplinks = {uplink};
  const auto all = render(s);
  const auto* f = family(all, "uplink_info");
  ASSERT_NE(f, nullptr);
  EXPECT_EQ(f->metric.at(0).label.size(), 4u);
  EXPECT_EQ(labels_of(f->metric.at(0)),
            (Labels{{"uplink", "u"}, {"interface", "eth0"}, {"gateway", ""}, {"carrier", "isp"}}));
}

TEST(Render, NoAddressOfTheCarrierBecomesALabel) {
  for (const auto& f : render(*sample_snapshot())) {
    for (const auto& m : f.metric) {
      for (const auto& l : m.label) EXPECT_EQ(l.value.find("198.51.100.7"), std::string::npos) << f.name;
    }
  }
}

TEST(Render, TheTwoProgramsTogetherServeTheWholeCatalogue) {
  std::set<std::string> served;
  for (const auto& f : render(*sample_snapshot())) served.insert(f.name);
  for (const auto& f : render(*sample_reflector_snapshot())) served.insert(f.name);
  std::set<std::string> catalogue;
  for (const auto& m : kCatalogue) catalogue.insert(std::string(m.name));
  EXPECT_EQ(served, catalogue);
}

TEST(Render, TheReflectorSaysWhatItDidWithPackets) {
  const auto all = render(*sample_reflector_snapshot());
  EXPECT_EQ(value(all, "uplink_reflector_packets_total", {{"outcome", "reflected"}}), 150);
  EXPECT_EQ(value(all, "uplink_reflector_queries_total", {{"outcome", "unauthenticated"}}), 1);
  EXPECT_EQ(value(all, "uplink_reflector_sessions", {}), 12);
  EXPECT_EQ(value(all, "uplink_reflector_sessions_limit", {}), 100000);
  EXPECT_EQ(value(all, "uplink_reflector_config_last_reload_successful", {}), 1);
}

TEST(Families, AWrongNumberOfLabelValuesIsAProgrammersError) {
  Families out;
  EXPECT_THROW(out.gauge("uplink_link_up", {}, 1), std::logic_error);
  EXPECT_THROW(out.gauge("uplink_link_up", {"u", "more"}, 1), std::logic_error);
}

}  // namespace
}  // namespace ue::metrics
