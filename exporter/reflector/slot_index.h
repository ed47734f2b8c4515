#pragma once
#include <cstdint>
#include <optional>
#include <vector>

namespace ue::reflector {

/// From a key's hash to the number of the slot that holds it: a hash table with open addressing whose memory
/// is taken once, for up to `capacity` entries at half load. It knows no keys: whoever owns the slots
/// compares. Passive.
class SlotIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  explicit SlotIndex(std::uint32_t capacity = 0) {
    std::size_t size = 16;
    while (size < std::size_t{capacity} * 2) size *= 2;
    entries_.resize(size);
  }

  /// The slot with this hash for which same(slot) holds; kNone where there is none.
  template <typename Same>
  std::uint32_t find(std::uint64_t hash, Same&& same) const {
    const auto tag = static_cast<std::uint32_t>(hash);
    for (auto at = home(tag); entries_[at].slot != kFree; at = after(at)) {
      if (entries_[at].tag == tag && same(entries_[at].slot - 1)) return entries_[at].slot - 1;
    }
    return kNone;
  }
  /// The caller knows that no equal key is there, and that no more than `capacity` are.
  void insert(std::uint64_t hash, std::uint32_t slot) {
    const auto tag = static_cast<std::uint32_t>(hash);
    auto at = home(tag);
    while (entries_[at].slot != kFree) at = after(at);
    entries_[at] = {tag, slot + 1};
  }
  /// Forgets what insert() was told with the same arguments; nothing happens where that is not there.
  void erase(std::uint64_t hash, std::uint32_t slot) {
    auto hole = home(static_cast<std::uint32_t>(hash));
    while (entries_[hole].slot != slot + 1) {
      if (entries_[hole].slot == kFree) return;
      hole = after(hole);
    }
    // Whatever stands behind the hole and could be nearer to its home moves up, so that no search ends too
    // early.
    for (auto at = after(hole); entries_[at].slot != kFree; at = after(at)) {
      const auto distance = (at - home(entries_[at].tag)) & (entries_.size() - 1);
      if (distance >= ((at - hole) & (entries_.size() - 1))) {
        entries_[hole] = entries_[at];
        hole = at;
      }
    }
    entries_[hole] = {};
  }

 private:
  static constexpr std::uint32_t kFree = 0;
  struct Entry {
    std::uint32_t tag = 0;
    std::uint32_t slot = kFree;  ///< one more than the slot's number
  };
  std::size_t home(std::uint32_t tag) const { return tag & (entries_.size() - 1); }
  std::size_t after(std::size_t at) const { return (at + 1) & (entries_.size() - 1); }

  std::vector<Entry> entries_;  ///< a power of two
};

}  // namespace ue::reflector
