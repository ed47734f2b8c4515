#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/time.h"

/// What is to happen in virtual time, in order; what is due at the same moment happens as it was put in.
namespace ue::sim {

/// A heap of times over places that are used again, so that an event is moved twice, however long it waits.
template <typename Event>
class Agenda {
 public:
  bool empty() const { return heap_.empty(); }
  /// When the first is due; Instant::max() where there is none.
  Instant next() const { return heap_.empty() ? Instant::max() : heap_.front().at; }

  void add(Instant at, Event event) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(places_.size()));
      places_.emplace_back();
    }
    places_[free_.back()] = std::move(event);
    heap_.push_back({at, order_++, free_.back()});
    std::push_heap(heap_.begin(), heap_.end());
    free_.pop_back();
  }

  Event take() {
    std::pop_heap(heap_.begin(), heap_.end());
    const auto place = heap_.back().place;
    heap_.pop_back();
    free_.push_back(place);
    return std::move(places_[place]);
  }

 private:
  struct Due {
    Instant at;
    std::uint64_t order;
    std::uint32_t place;
    bool operator<(const Due& o) const { return at != o.at ? at > o.at : order > o.order; }
  };
  std::vector<Due> heap_;
  std::vector<Event> places_;
  std::vector<std::uint32_t> free_;
  std::uint64_t order_ = 0;
};

}  // namespace ue::sim
