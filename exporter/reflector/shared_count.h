#pragma once
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace ue::reflector {

/// How many of something each key has, over all shards together, so that a limit for a key holds wherever its
/// packets arrive. Any thread; touched when something begins or ends, not for every packet.
template <typename Key, typename Hash>
class SharedCount {
 public:
  /// One more for `key`, unless it has `limit` already.
  bool take(const Key& key, std::uint32_t limit) {
    const std::lock_guard lock(mutex_);
    if (limit == 0) return false;
    auto& count = counts_[key];
    if (count >= limit) return false;
    ++count;
    return true;
  }
  void give_back(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(key);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Key, std::uint32_t, Hash> counts_;  ///< never 0
};

}  // namespace ue::reflector
