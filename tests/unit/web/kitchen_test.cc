#include "web/kitchen.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <vector>

namespace ue::web {
namespace {

TEST(Kitchen, RunsEveryOrderOnOneThreadAndReturnsWhenItIsDone) {
  Kitchen kitchen;
  std::set<std::thread::id> cooks;  // no lock: one order runs at a time
  std::atomic<int> wrong = 0;
  std::vector<std::thread> waiters;
  for (int i = 0; i < 8; ++i) {
    waiters.emplace_back([&] {
      for (int order = 0; order < 200; ++order) {
        bool done = false;
        kitchen.run([&] {
          cooks.insert(std::this_thread::get_id());
          done = true;
        });
        if (!done) ++wrong;
      }
    });
  }
  for (auto& waiter : waiters) waiter.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(cooks.size(), 1u);
  EXPECT_FALSE(cooks.contains(std::this_thread::get_id()));
}

TEST(Kitchen, WhatAnOrderThrowsReachesWhoAskedAndNobodyElse) {
  Kitchen kitchen;
  EXPECT_THROW(kitchen.run([] { throw std::runtime_error("burnt"); }), std::runtime_error);
  bool done = false;
  kitchen.run([&] { done = true; });
  EXPECT_TRUE(done);
}

}  // namespace
}  // namespace ue::web
