#include "metrics/history.h"

#include <gtest/gtest.h>

namespace ue::metrics {
namespace {

using verdict::Verdict;

/// A gateway with one path, whose counters the test moves on.
struct World {
  History history;
  Path path;
  Verdict verdict = Verdict::healthy;
  double now = 1'000'000;  // a whole multiple of both widths would be 1'000'080

  World() {
    path.uplink = "u";
    path.reflector = "r";
    path.rtt = {{0.1}, {0, 0}, 0};
  }
  void answer(std::uint64_t n, double rtt = 0.02) {
    path.steady.sent += n;
    path.steady.replies += n;
    path.rtt.counts[0] += n;
    path.rtt.sum += static_cast<double>(n) * rtt;
  }
  void tick(double seconds) {
    now += seconds;
    Snapshot s;
    s.published = now;
    auto uplink = std::make_shared<Uplink>();
    uplink->name = "u";
    uplink->conclusion = {verdict, "because"};
    uplink->paths = {std::make_shared<const Path>(path)};
    s.uplinks = {uplink};
    history.note(s);
  }
  const PathPast& past() const { return history.past()->paths.at({"u", "r"}); }
  const Series& minutes() const { return past().minutes; }
};

TEST(History, CountsWhatBecameOfTheProbesOfEachBin) {
  World w;
  w.tick(0);
  w.answer(3, 0.01);
  w.tick(1);
  w.path.fresh.sent += 8;
  w.path.fresh.return_lost += 2;
  w.path.fresh.forward_lost += 1;
  w.path.fresh.unattributed_lost += 4;
  EXPECT_TRUE(w.minutes().bins.empty());
  w.tick(4);  // the first bin is over
  ASSERT_EQ(w.minutes().bins.size(), 1u);
  const Bin& b = w.minutes().bins[0];
  EXPECT_EQ(b.answered, 3u);
  EXPECT_EQ(b.forward_lost, 1u);
  EXPECT_EQ(b.return_lost, 2u);
  EXPECT_EQ(b.unattributed, 4u);
  EXPECT_EQ(b.open, 1u);
  EXPECT_FLOAT_EQ(b.rtt, 0.01f);
  EXPECT_EQ(w.minutes().end, 1'000'005);
  w.answer(1);
  w.tick(5);
  EXPECT_EQ(w.minutes().bins[1].answered, 1u);
}

TEST(History, WhatIsSettledLateGoesToTheBinThatItWasSentIn) {
  World w;
  w.tick(0);
  w.path.steady.sent += 5;
  w.tick(5);
  w.path.steady.sent += 3;
  w.tick(5);
  EXPECT_EQ(w.minutes().bins[0].open, 5u);
  EXPECT_EQ(w.minutes().bins[1].open, 3u);
  w.path.steady.return_lost += 6;  // the answer over TCP told of so many
  w.answer(2);
  w.tick(5);
  EXPECT_EQ(w.minutes().bins[0].return_lost, 5u);
  EXPECT_EQ(w.minutes().bins[0].open, 0u);
  EXPECT_EQ(w.minutes().bins[1].return_lost, 1u);
  EXPECT_EQ(w.minutes().bins[1].open, 2u);
  EXPECT_EQ(w.minutes().bins[2].answered, 2u);
  EXPECT_EQ(w.minutes().bins[2].all(), 2u);
}

TEST(History, AReplyThatCameAfterItsBinWasOverBelongsThereAllTheSame) {
  World w;
  w.tick(0);
  w.path.steady.sent += 4;
  w.path.steady.replies += 3;
  w.tick(5);
  EXPECT_EQ(w.minutes().bins[0].open, 1u);
  w.path.steady.replies += 1;
  w.answer(4);
  w.tick(5);
  EXPECT_EQ(w.minutes().bins[0].answered, 4u);
  EXPECT_EQ(w.minutes().bins[0].open, 0u);
  EXPECT_EQ(w.minutes().bins[1].answered, 4u);
}

TEST(History, WhatWasCountedBeforeItBeganIsNotItsOwn) {
  World w;
  w.answer(500);
  w.tick(0);
  w.answer(2);
  w.tick(5);
  EXPECT_EQ(w.minutes().bins.at(0).answered, 2u);
}

TEST(History, SpansWithoutASnapshotAreEmptyBins) {
  World w;
  w.tick(0);
  w.answer(7);
  w.tick(17);
  ASSERT_EQ(w.minutes().bins.size(), 3u);
  EXPECT_EQ(w.minutes().bins[0].answered, 7u);
  EXPECT_EQ(w.minutes().bins[1].all() + w.minutes().bins[2].all(), 0u);
  EXPECT_EQ(w.minutes().end, 1'000'015);
}

TEST(History, IsBounded) {
  World w;
  for (int i = 0; i < 40'000; ++i) {
    w.answer(1);
    w.verdict = i % 2 == 0 ? Verdict::healthy : Verdict::lossy;
    w.tick(1);
  }
  EXPECT_EQ(w.minutes().bins.size(), History::kMinutesBins);
  EXPECT_EQ(w.past().hours.bins.size(), History::kHoursBins);
  EXPECT_EQ(w.past().hours.bins.back().answered, 120u);
  EXPECT_EQ(w.history.past()->changes.at("u").size(), History::kChanges);
}

TEST(History, APathThatBeginsAnewCountsFromZero) {
  World w;
  w.answer(100);
  w.tick(0);
  w.answer(5);
  w.tick(5);
  w.path.steady = {};
  w.path.rtt = {{0.1}, {0, 0}, 0};
  w.answer(2);
  w.tick(5);
  ASSERT_EQ(w.minutes().bins.size(), 2u);
  EXPECT_EQ(w.minutes().bins[0].answered, 5u);
  EXPECT_EQ(w.minutes().bins[1].answered, 2u);
}

TEST(History, BeginsAnewWhereTheClockIsSet) {
  for (const double step : {-100'000.0, 100'000'000.0}) {
    World w;
    w.tick(0);
    for (int i = 0; i < 20; ++i) w.tick(5);
    EXPECT_EQ(w.minutes().bins.size(), 20u);
    w.tick(step);
    EXPECT_TRUE(w.minutes().bins.empty());
    w.answer(1);
    w.tick(5);
    EXPECT_EQ(w.minutes().bins.size(), 1u);
    EXPECT_LE(w.history.past()->began, w.now);
  }
}

TEST(History, KeepsChangesOfTheVerdictWithTheNewestSentence) {
  World w;
  w.tick(0);
  w.tick(10);
  w.verdict = Verdict::one_way;
  w.tick(10);
  w.tick(10);
  const auto& changes = w.history.past()->changes.at("u");
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].at, 1'000'000);
  EXPECT_EQ(changes[1].at, 1'000'020);
  EXPECT_EQ(changes[1].conclusion.verdict, Verdict::one_way);
}

TEST(History, TheNewestBatchOfAHoldStandsAloneAfterAPause) {
  World w;
  auto& hold = w.path.lifetimes["stream"].holds["5"];
  hold = {10, 10};
  w.tick(0);
  const auto newest = [&] { return w.past().holds.at({"stream", "5"}); };
  EXPECT_EQ(newest().probes, 10u);
  hold = {11, 10};
  w.tick(300);
  hold = {12, 10};
  w.tick(30);  // still the same batch
  EXPECT_EQ(newest().probes, 2u);
  EXPECT_EQ(newest().replies, 0u);
  hold = {13, 11};
  w.tick(300);
  EXPECT_EQ(newest().probes, 1u);
  EXPECT_EQ(newest().replies, 1u);
}

TEST(History, WhatIsGoneIsForgottenAndWhatHasNotChangedIsNotCopied) {
  World w;
  w.tick(0);
  const auto before = w.history.past();
  w.tick(1);
  EXPECT_EQ(w.history.past(), before);
  Snapshot empty;
  empty.published = w.now + 1;
  w.history.note(empty);
  EXPECT_TRUE(w.history.past()->paths.empty());
  EXPECT_TRUE(w.history.past()->changes.empty());
}

TEST(History, HasRoomForABoundedNumberOfPaths) {
  History history;
  Snapshot s;
  s.published = 1000;
  for (int i = 0; i < 200; ++i) {
    auto path = std::make_shared<Path>();
    path->uplink = "u" + std::to_string(i);
    auto uplink = std::make_shared<Uplink>();
    uplink->name = path->uplink;
    uplink->paths = {path};
    s.uplinks.push_back(uplink);
  }
  history.note(s);
  EXPECT_EQ(history.past()->paths.size(), History::kPaths);
  EXPECT_EQ(history.past()->changes.size(), History::kPaths);
}

}  // namespace
}  // namespace ue::metrics
