// LossModel, LossAlarm, LossWindow and Rtt: the statistics.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "probe/loss_alarm.h"
#include "probe/loss_model.h"
#include "probe/loss_window.h"
#include "probe/rtt.h"

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  bool falls(double chance) { return static_cast<double>(engine_() >> 11) * 0x1p-53 < chance; }

 private:
  std::mt19937_64 engine_;
};

/// Feeds `probes` with independent losses.
void feed(LossModel& model, double loss, int probes, std::uint64_t seed = 1) {
  Dice dice(seed);
  std::uint32_t run = 0;
  for (int i = 0; i < probes; ++i) {
    if (dice.falls(loss)) {
      ++run;
    } else {
      model.record_run(std::exchange(run, 0));
      model.record_answer();
    }
  }
}

TEST(LossModel, BeginsCautious) { EXPECT_EQ(LossModel().losses_needed(), 8U); }

TEST(LossModel, NeedsMoreLossesOnALossierPath) {
  const auto needed = [](double loss) {
    double sum = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      LossModel m;
      feed(m, loss, 20000, seed);
      sum += m.losses_needed();
    }
    return sum / 20;
  };
  EXPECT_NEAR(needed(0), 5, .5);
  EXPECT_NEAR(needed(.01), 5, .7);
  EXPECT_NEAR(needed(.05), 8, .7);
  EXPECT_NEAR(needed(.30), 18.5, 1);
}

TEST(LossModel, KeepsTheErrorBudget) {
  // K by itself: p q^(K-1) stays below 0.01 a year of one probe a second, and K-1 would not.
  for (const double loss : {.01, .05, .1, .3, .5}) {
    LossModel m;
    feed(m, loss, 20000);
    const auto chance = [&](std::uint32_t k) { return m.loss() * std::pow(m.loss_after_loss(), k - 1); };
    EXPECT_LE(chance(m.losses_needed()) * 365.25 * 86400, .01 * 1.0001) << loss;
    EXPECT_GT(chance(m.losses_needed() - 1) * 365.25 * 86400, .01) << loss;
  }
}

TEST(LossModel, RemembersBurstsOverAQuietDay) {
  LossModel m;
  for (int i = 0; i < 10; ++i) {
    m.record_run(4);
    feed(m, 0, 3000);
  }
  EXPECT_GT(m.loss_after_loss(), .5);
  EXPECT_GT(m.losses_needed(), 20U);
  EXPECT_LE(m.losses_needed(), LossModel::kMostNeeded);
  feed(m, 0, 20000);
  EXPECT_GT(m.losses_needed(), 20U);
}

TEST(LossModel, FollowsAPathThatGetsBetter) {
  LossModel m;
  feed(m, .3, 5000);
  feed(m, .01, 100000);
  EXPECT_LE(m.losses_needed(), 6U);
}

TEST(LossAlarm, RaisesAtTwiceTheThresholdAndClearsWithoutLoss) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Dice dice(seed);
    LossAlarm alarm(.05);
    int probes = 0;
    while (!alarm.raised() && probes < 3000) {
      alarm.record(dice.falls(.10));
      ++probes;
    }
    EXPECT_TRUE(alarm.raised()) << seed;
    for (int i = 0; i < 300; ++i) alarm.record(false);
    EXPECT_FALSE(alarm.raised());
  }
}

TEST(LossAlarm, IsQuickWhereTheLossIsHeavy) {
  Dice dice(3);
  LossAlarm alarm(.05);
  int probes = 0;
  while (!alarm.raised()) {
    alarm.record(dice.falls(.4));
    ++probes;
  }
  EXPECT_LE(probes, 80);
}

TEST(LossAlarm, StaysSilentAtHalfTheThresholdAndRaisedAtTwice) {
  Dice dice(5);
  LossAlarm alarm(.05);
  for (int i = 0; i < 3'000'000; ++i) {
    alarm.record(dice.falls(.025));
    ASSERT_FALSE(alarm.raised()) << i;
  }
  while (!alarm.raised()) alarm.record(dice.falls(.10));
  for (int i = 0; i < 3'000'000; ++i) {
    alarm.record(dice.falls(.10));
    ASSERT_TRUE(alarm.raised()) << i;
  }
}

TEST(LossWindow, CountsTwoMinutes) {
  LossWindow w;
  w.record(Instant{} + 1s, Outcome::answered);
  w.record(Instant{} + 100s, Outcome::return_lost);
  w.record(Instant{} + 101s, Outcome::forward_lost);
  EXPECT_EQ(w.totals(Instant{} + 104s).all(), 3U);
  EXPECT_EQ(w.totals(Instant{} + 104s).answered, 1U);
  EXPECT_EQ(w.totals(Instant{} + 121s).all(), 2U);
  EXPECT_EQ(w.totals(Instant{} + 121s).return_lost, 1U);
  w.record(Instant{} + 5000s, Outcome::unattributed);
  EXPECT_EQ(w.totals(Instant{} + 5000s).all(), 1U);
}

TEST(Rtt, SetsTheLossTimeout) {
  Rtt r;
  EXPECT_EQ(r.loss_timeout(), Nanos(1s));
  r.record(10ms);
  EXPECT_EQ(r.loss_timeout(), Nanos(300ms));
  for (int i = 0; i < 100; ++i) r.record(200ms);
  EXPECT_NEAR(to_seconds(r.loss_timeout()), .8, .001);
}

TEST(Rtt, FillsItsHistogram) {
  Rtt r;
  r.record(1ms);  // a bound belongs to the bucket below it
  r.record(1001us);
  r.record(7s);
  r.record(-5ms);  // two clocks' noise
  EXPECT_EQ(r.buckets()[0], 2U);
  EXPECT_EQ(r.buckets()[1], 1U);
  EXPECT_EQ(r.buckets().back(), 1U);
  EXPECT_NEAR(r.sum_seconds(), 7.002001, 1e-9);
}

}  // namespace
}  // namespace ue::probe
