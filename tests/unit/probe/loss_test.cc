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

/// K of what the model says of a loss now, found by trying.
std::uint32_t least_run(const LossModel& m) {
  const double budget = .01 / (365.25 * 86400);
  double chance = m.loss();
  std::uint32_t k = 1;
  for (; chance > budget && k < LossModel::kLongestBurst; ++k) chance *= m.loss_after_loss();
  return k;
}

// It is not counted anew with every answer, which hardly changes it: then it may be one too many, never too
// few, and right after a loss it is exact.
TEST(LossModel, AnAnswerLeavesAtMostOneLossTooMany) {
  for (const double loss : {0., .002, .01, .03, .1, .3, .5}) {
    for (const double again : {loss, .4, .7}) {
      Dice dice(3);
      LossModel m;
      std::uint32_t run = 0;
      int asked = 0;
      int above = 0;
      for (int i = 0; i < 50'000; ++i) {
        if (dice.falls(run > 0 ? std::max(again, loss) : loss)) {
          ++run;
          continue;
        }
        const bool lost = run > 0;
        m.record_run(std::exchange(run, 0));
        if (lost) {
          ASSERT_EQ(m.whole_run(), least_run(m)) << loss << " " << again << " " << i;
        }
        m.record_answer();
        const auto exact = least_run(m);
        ASSERT_GE(m.whole_run(), exact) << loss << " " << again << " " << i;
        ASSERT_LE(m.whole_run(), exact + 1) << loss << " " << again << " " << i;
        ++asked;
        above += m.whole_run() != exact ? 1 : 0;
      }
      EXPECT_LT(above, asked / 10) << loss << " " << again;
    }
  }
}

// Nobody may wait for the hundredth by which p falls last: on a good line K ends where it should.
TEST(LossModel, EndsExactlyWhereLossEnds) {
  LossModel m;
  m.record_run(30);
  for (int i = 0; i < 40'000; ++i) {
    m.record_answer();
    (void)m.losses_needed();
  }
  EXPECT_EQ(m.loss(), .01);
  EXPECT_EQ(m.whole_run(), least_run(m));
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

/// Every record that is not older than the window, counted one by one.
TEST(LossWindow, CountsWhatALookAtEveryRecordWouldCount) {
  constexpr auto kSlot = 15s;
  std::mt19937 dice(11);
  LossWindow w;
  std::vector<std::pair<Instant, Outcome>> all;
  Instant now = Instant{} + 1h;
  for (int step = 0; step < 20'000; ++step) {
    const auto kind = dice() % 200;
    // Mostly every second, at times in one moment, now and then after a silence, of which some are longer
    // than all that is remembered.
    now += kind == 0 ? Nanos(std::chrono::seconds(dice() % 400))
                     : Nanos(std::chrono::milliseconds(kind < 60 ? 0 : dice() % 2000));
    if (dice() % 3 != 0) {
      const auto outcome = static_cast<Outcome>(dice() % 4);
      w.record(now, outcome);
      all.emplace_back(now, outcome);
    }
    LossWindow::Totals sum;
    for (auto r = all.rbegin(); r != all.rend(); ++r) {
      if (r->first.time_since_epoch() / kSlot + 8 <= now.time_since_epoch() / kSlot) break;
      ++(r->second == Outcome::answered       ? sum.answered
         : r->second == Outcome::forward_lost ? sum.forward_lost
         : r->second == Outcome::return_lost  ? sum.return_lost
                                              : sum.unattributed);
    }
    const auto told = w.totals(now);
    ASSERT_EQ(told.answered, sum.answered) << step;
    ASSERT_EQ(told.forward_lost, sum.forward_lost) << step;
    ASSERT_EQ(told.return_lost, sum.return_lost) << step;
    ASSERT_EQ(told.unattributed, sum.unattributed) << step;
  }
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
