#include "agent/trail.h"

#include <gtest/gtest.h>

namespace ue::agent {
namespace {

using namespace std::chrono_literals;
using Kind = probe::Localiser::Task::Kind;
using verdict::Tri;
using verdict::Verdict;

probe::Localiser::Task task_of(Verdict v, verdict::Facts facts = {}, bool eager = false,
                               std::optional<probe::FlowHandle> silent = 7) {
  probe::MappingLifetime::Bracket stream;
  stream.lower = 4s;
  stream.upper = 6s;
  return localiser_task({v, "", verdict::Scope::unknown}, facts, silent, stream, eager);
}

TEST(LocaliserTask, FollowsTheVerdict) {
  verdict::Facts answered;
  answered.steady = Tri::yes;
  for (const auto v : {Verdict::return_lost, Verdict::one_way, Verdict::stuck_mapping, Verdict::no_return,
                       Verdict::udp_blocked, Verdict::down}) {
    EXPECT_EQ(task_of(v).kind, Kind::silent) << verdict::name(v);
    EXPECT_EQ(task_of(v).flow, 7U);
    EXPECT_EQ(task_of(v, {}, false, std::nullopt).kind, Kind::fresh) << "the silent port is gone";
  }
  EXPECT_EQ(task_of(Verdict::new_flows_blocked).kind, Kind::fresh);
  EXPECT_EQ(task_of(Verdict::short_mapping).kind, Kind::lifetime);
  EXPECT_EQ(task_of(Verdict::short_mapping).stream.upper, Nanos(6s));
  for (const auto v : {Verdict::local_fault, Verdict::reflector_down})
    EXPECT_EQ(task_of(v, answered).kind, Kind::none) << verdict::name(v);
  EXPECT_EQ(task_of(Verdict::mtu_blackhole, answered).kind, Kind::large);
  for (const auto v : {Verdict::healthy, Verdict::lossy, Verdict::unknown}) {
    EXPECT_EQ(task_of(v, answered).kind, Kind::usual) << verdict::name(v);
    EXPECT_EQ(task_of(v).kind, Kind::none) << verdict::name(v);
    EXPECT_EQ(task_of(v, answered, true).kind, Kind::lifetime) << verdict::name(v);
  }
  verdict::Facts gone;
  gone.link = Tri::no;
  EXPECT_EQ(task_of(Verdict::down, gone).kind, Kind::none) << "nothing leaves";
}

TEST(Trail, NamesIcmpErrorsByTheirFamily) {
  probe::Localiser::Findings found;
  found.probe_refused = probe::Localiser::Refused{3, 13, *IpAddress::parse("100.64.0.1"), 0, {}};
  found.reply_refused = probe::Localiser::Refused{1, 4, *IpAddress::parse("2001:db8::1"), 62, {}};
  EXPECT_EQ(make_trail(found, Family::ipv4).probe_refused->kind, "admin-prohibited");
  const auto trail = make_trail(found, Family::ipv6);
  EXPECT_EQ(trail.reply_refused->kind, "port-unreachable");
  EXPECT_EQ(trail.reply_refused->ttl, 62);
  EXPECT_EQ(trail.reply_refused->offender.to_string(), "2001:db8::1");
  EXPECT_FALSE(make_trail({}, Family::ipv4).probe_refused);
}

TEST(Trail, AWayIsOneLine) {
  Hops hops;
  hops.routers = {IpAddress::parse("192.168.1.1"), std::nullopt};
  EXPECT_EQ(to_text(hops), "192.168.1.1, silent, far end not reached");
  hops.length = 3;
  EXPECT_EQ(to_text(hops), "192.168.1.1, silent, far end at hop 3");
}

}  // namespace
}  // namespace ue::agent
