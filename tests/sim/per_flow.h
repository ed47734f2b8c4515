#pragma once
#include <array>
#include <vector>

#include "probe/types.h"

namespace ue::sim {

/// Something of each flow, by its handle. Whoever opens flows (a prober, a size check, a hold ladder) counts
/// them from a place of his own, in the two highest bits, and never uses one again.
template <typename T>
class PerFlow {
 public:
  T& operator[](probe::FlowHandle flow) {
    auto& of_owner = owners_[flow >> kBits];
    const std::size_t number = flow & ((1U << kBits) - 1);
    if (of_owner.size() <= number) of_owner.resize(number + 1);
    return of_owner[number];
  }
  void clear() {
    for (auto& of_owner : owners_) of_owner.clear();
  }

 private:
  static constexpr unsigned kBits = 30;
  std::array<std::vector<T>, 4> owners_;
};

}  // namespace ue::sim
