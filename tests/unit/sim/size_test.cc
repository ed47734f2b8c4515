// Packets of a tunnel's size: where they vanish, and what must not be taken for that.
#include "scenario.h"

namespace ue::sim {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kNarrow = 1400 - 28;

VirtualPath size_checking(std::uint64_t seed) {
  VirtualPath::Options options{seed, seed % 2 == 0};
  VirtualPath path(options);
  path.checks_size = true;
  return path;
}

TEST(Size, ABlackHoleEitherWayIsFoundAndNamesWhatPasses) {
  for (std::uint64_t seed = 0; seed < seeds(40); ++seed) {
    auto path = size_checking(seed);
    path.out.loss = path.back.loss = seed % 4 == 3 ? .05 : 0;
    path.run_until(200s);
    ASSERT_EQ(path.verdict(), Verdict::healthy) << path.story();
    (seed % 4 < 2 ? path.out : path.back).largest = kNarrow;
    path.run_until(800s);
    const auto found = path.first(Verdict::mtu_blackhole, 200s);
    ASSERT_TRUE(found) << seed << "\n" << path.story();
    // One minute until it is asked, then K failures 3 s apart; at 5 % each way every tenth round is void.
    EXPECT_LE(*found - 200s, path.out.loss > 0 ? 240s : 150s) << path.story();
    EXPECT_EQ(path.size_check().passing_payload(), kNarrow) << seed;
    path.out.largest = path.back.largest = SIZE_MAX;
    path.run_for(200s);
    // 5 % each way is the threshold itself: lossy is right there, too.
    EXPECT_TRUE(path.verdict() == Verdict::healthy || (path.out.loss > 0 && path.verdict() == Verdict::lossy))
        << seed << "\n"
        << path.story();
    EXPECT_FALSE(path.size_check().passing_payload());
  }
}

TEST(Size, WhereThePathSaysItsLimitThatLimitIsTried) {
  for (std::uint64_t seed = 0; seed < seeds(10); ++seed) {
    auto path = size_checking(seed);
    path.out.largest = kNarrow;
    path.out.tells_largest = true;
    path.run_until(30min);
    EXPECT_THAT(verdicts(path), Not(Contains(Verdict::mtu_blackhole))) << path.story();
    EXPECT_EQ(path.size_check().size(), 1400U);
    EXPECT_EQ(path.size_check().passes(), true);
  }
}

TEST(Size, ALimitThatDoesNotPassEitherIsABlackHole) {
  auto path = size_checking(6);
  path.out.largest = kNarrow;
  path.out.tells_largest = true;
  path.back.largest = 1300 - 28;
  path.run_until(300s);
  EXPECT_EQ(path.verdict(), Verdict::mtu_blackhole) << path.story();
  EXPECT_EQ(path.size_check().passing_payload(), 1300 - 28);
}

TEST(Size, LossesAreNoBlackHole) {
  for (std::uint64_t seed = 0; seed < seeds(12); ++seed) {
    auto path = size_checking(seed);
    const double loss = std::array{.02, .1, .3}[seed % 3];
    path.out.loss = path.back.loss = loss;
    if (seed % 2 == 1) {
      path.out.loss = path.back.loss = loss / 4;
      path.back.burst_begins = .01;
      path.back.burst_ends = .2;
    }
    path.run_until(3h);
    EXPECT_THAT(verdicts(path), Not(Contains(Verdict::mtu_blackhole))) << seed << "\n" << path.story();
  }
}

TEST(Size, NothingIsSentWhileRepliesAreGone) {
  auto path = size_checking(8);
  path.run_until(100s);
  path.cut(true);
  path.run_until(400s);
  path.cut(false);
  path.run_until(700s);
  EXPECT_THAT(verdicts(path), Not(Contains(Verdict::mtu_blackhole))) << path.story();
  EXPECT_EQ(path.verdict(), Verdict::healthy);
}

}  // namespace
}  // namespace ue::sim
