#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace ue::web {

/// One thread on which all pages are made, one after the other, in the order in which they were asked for. Each web
/// thread that made a page itself would keep a deep stack and a store of freed memory for the next one, which is
/// megabytes where there are many. Owned by a Server; run() is called by its web threads.
class Kitchen {
 public:
  Kitchen();
  ~Kitchen();  ///< when nobody is in run() any more
  Kitchen(const Kitchen&) = delete;
  Kitchen& operator=(const Kitchen&) = delete;

  /// Returns when `order` has been run, and throws what it threw. An order never waits for anybody.
  void run(std::function<void()> order);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> orders_;
  bool closing_ = false;
  std::thread cook_;  ///< last: it begins at once
};

}  // namespace ue::web
