#include "reflector/slot_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "reflector/shared_count.h"

namespace ue::reflector {
namespace {

// Few different hashes make long runs, in which erasing must leave nobody behind.
TEST(SlotIndex, AgreesWithAMapUnderRandomUse) {
  std::mt19937 random(7);
  for (const std::uint64_t hashes : {1ULL, 5ULL, 40ULL, 1'000'000'007ULL}) {
    SlotIndex index(64);
    std::map<std::uint32_t, std::uint64_t> model;  // slot to hash
    for (int i = 0; i < 20'000; ++i) {
      const auto slot = static_cast<std::uint32_t>(random() % 64);
      if (const auto known = model.find(slot); known != model.end()) {
        index.erase(known->second, slot);
        model.erase(known);
      } else {
        const auto hash = random() % hashes;
        index.insert(hash, slot);
        model[slot] = hash;
      }
      const auto wanted = static_cast<std::uint32_t>(random() % 64);
      const auto known = model.find(wanted);
      const auto hash = known == model.end() ? random() % hashes : known->second;
      const auto found = index.find(hash, [&](std::uint32_t s) { return s == wanted; });
      ASSERT_EQ(found, known == model.end() ? SlotIndex::kNone : wanted);
    }
  }
}

TEST(SlotIndex, ErasingWhatIsNotThereChangesNothing) {
  SlotIndex index(4);
  index.insert(1, 0);
  index.erase(1, 3);
  index.erase(2, 0);
  EXPECT_EQ(index.find(1, [](auto) { return true; }), 0U);
}

TEST(SharedCount, LimitsEachKeyAndForgetsWhatIsNone) {
  SharedCount<int, std::hash<int>> count;
  EXPECT_TRUE(count.take(1, 2));
  EXPECT_TRUE(count.take(1, 2));
  EXPECT_FALSE(count.take(1, 2));
  EXPECT_TRUE(count.take(2, 2));
  count.give_back(1);
  EXPECT_TRUE(count.take(1, 2));
  EXPECT_FALSE(count.take(3, 0));
}

}  // namespace
}  // namespace ue::reflector
