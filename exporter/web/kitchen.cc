#include "web/kitchen.h"

namespace ue::web {

Kitchen::Kitchen() : cook_([this] { work(); }) {}

Kitchen::~Kitchen() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_one();
  cook_.join();
}

void Kitchen::run(std::function<void()> order) {
  std::packaged_task<void()> task(std::move(order));
  auto done = task.get_future();
  {
    const std::lock_guard lock(mutex_);
    orders_.push_back(std::move(task));
  }
  changed_.notify_one();
  done.get();
}

void Kitchen::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !orders_.empty(); });
    if (orders_.empty()) return;
    auto task = std::move(orders_.front());
    orders_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace ue::web
