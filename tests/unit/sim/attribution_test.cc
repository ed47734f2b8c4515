// Which way probes were lost, against what the simulation really did.
#include "scenario.h"

namespace ue::sim {
namespace {

TEST(Attribution, LossOnReturnIsNeverCalledForwardLoss) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualPath path(seed);
    path.back.loss = .2;
    path.run_until(1800s);
    fall_quiet(path);
    expect_all_settled(path);
    const auto c = path.counters();
    EXPECT_LE(c.forward_lost, c.sent / 100);
    EXPECT_EQ(c.return_lost + c.unattributed_lost, path.truth().lost_inward);
    EXPECT_LE(c.unattributed_lost, c.sent / 1000 + 2);
  }
}

TEST(Attribution, ForwardLossIsNeverCalledLossOnReturn) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualPath path(seed);
    path.out.loss = .2;
    path.run_until(1800s);
    fall_quiet(path);
    expect_all_settled(path);
    const auto c = path.counters();
    EXPECT_LE(c.return_lost, c.sent / 100);
    EXPECT_EQ(c.forward_lost + c.unattributed_lost, path.truth().lost_outward);
    EXPECT_LE(c.unattributed_lost, c.sent / 1000 + 2);
  }
}

TEST(Attribution, TheReflectorsCountersDoWhereNobodyAnswersOverTcp) {
  VirtualPath path(3);
  path.tcp.own = false;
  path.back.loss = .1;
  path.run_until(3600s);
  fall_quiet(path);
  expect_all_settled(path);
  const auto c = path.counters();
  EXPECT_EQ(c.forward_lost, 0U);
  // What is lost at a flow's end has no later reply that could tell.
  EXPECT_GE(c.return_lost, path.truth().lost_inward * 8 / 10);
}

TEST(Attribution, ADeadReturnIsAllReturnLoss) {
  for (const auto begin : {0s, 300s}) {
    VirtualPath path(4);
    path.at(begin, [&] { path.back.passes = nothing(); });
    path.run_until(1200s);
    fall_quiet(path);
    expect_all_settled(path);
    const auto c = path.counters();
    EXPECT_EQ(c.forward_lost, 0U);
    EXPECT_EQ(c.return_lost, path.truth().lost_inward);
    EXPECT_EQ(c.delivered, c.sent);
  }
}

TEST(Attribution, BlockedUdpIsAllForwardLoss) {
  VirtualPath path(5);
  path.at(300s, [&] { path.out.passes = nothing(); });
  path.run_until(1200s);
  fall_quiet(path);
  expect_all_settled(path);
  const auto c = path.counters();
  EXPECT_EQ(c.return_lost, 0U);
  EXPECT_EQ(c.forward_lost + c.unattributed_lost, path.truth().lost_outward);
  EXPECT_LE(c.unattributed_lost, 2U);
}

TEST(Attribution, AnOutageStaysOpenUntilSomebodyTells) {
  VirtualPath path(6);
  path.at(300s, [&] { path.cut(true); });
  path.at(330s, [&] { path.cut(false); });
  path.run_until(700s);
  fall_quiet(path);
  expect_all_settled(path);
  EXPECT_EQ(path.counters().forward_lost, path.truth().lost_outward);
  EXPECT_EQ(path.counters().unattributed_lost, 0U);
}

TEST(Attribution, RefusedPacketsWereDelivered) {
  VirtualPath path(7);
  path.reflector().refuses = [&] { return path.chance() < .15; };
  path.run_until(1800s);
  fall_quiet(path);
  expect_all_settled(path);
  const auto c = path.counters();
  EXPECT_GT(path.reflector().refused(), 200U);
  EXPECT_EQ(c.forward_lost, 0U);
  EXPECT_EQ(c.delivered, c.sent - c.unattributed_lost);
  EXPECT_LE(c.unattributed_lost, 2U);
}

TEST(Attribution, UnauthenticatedSessionsAreAttributedToo) {
  VirtualPath path(VirtualPath::Options{8, false, {}, {}});
  path.back.loss = .1;
  path.out.loss = .05;
  path.run_until(1800s);
  fall_quiet(path);
  expect_all_settled(path);
  const auto c = path.counters();
  EXPECT_NEAR(static_cast<double>(c.return_lost), static_cast<double>(path.truth().lost_inward), 5);
  EXPECT_NEAR(static_cast<double>(c.forward_lost), static_cast<double>(path.truth().lost_outward), 5);
}

TEST(Attribution, EverythingAtOnceIsSettledOnce) {
  for (std::uint64_t seed = 1; seed <= seeds(10); ++seed) {
    VirtualPath path(seed);
    path.out.loss = path.back.loss = .1;
    path.out.duplicate = .05;
    path.out.jitter = 500ms;
    path.back.straggler = .05;
    path.every(313s, [&] { path.rebind(); });
    path.every(701s, [&] { path.reflector().restart(1 + path.elapsed().count()); });
    path.every(977s, [&] { path.suspend(30s); });
    path.every(1201s, [&] {
      path.cut(true);
      path.at(path.elapsed() + 70s, [&] { path.cut(false); });
    });
    path.run_until(2h);
    fall_quiet(path);
    expect_all_settled(path);
  }
}

}  // namespace
}  // namespace ue::sim
