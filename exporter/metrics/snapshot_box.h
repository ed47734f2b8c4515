#pragma once
#include <memory>
#include <mutex>
#include <utility>

namespace ue::metrics {

/// Hands the newest snapshot from the loop to the web threads. Any thread may call either function; the lock
/// is held for one pointer copy. T is Snapshot or ReflectorSnapshot.
template <typename T>
class SnapshotBox {
 public:
  void publish(std::shared_ptr<const T> next) {
    const std::lock_guard lock(mutex_);
    newest_.swap(next);  // the old one is freed by the caller's `next`, after the lock
  }
  /// Null until the first publish.
  std::shared_ptr<const T> newest() const {
    const std::lock_guard lock(mutex_);
    return newest_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> newest_;
};

}  // namespace ue::metrics
