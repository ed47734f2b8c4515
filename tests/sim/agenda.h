#pragma once
#include <utility>
#include <vector>

#include "base/time.h"

/// What is to happen in virtual time, in order; what is due at the same moment happens as it was put in.
namespace ue::sim {

/// What is due first is last in a list, so that it costs next to nothing to put in what is due soon, as
/// nearly everything is; other things cost as many moves as are due before them.
template <typename Event>
class Agenda {
 public:
  /// When the first is due; Instant::max() where there is none.
  Instant next() const { return events_.empty() ? Instant::max() : events_.back().at; }

  void add(Instant at, Event event) {
    auto place = events_.end();
    while (place != events_.begin() && std::prev(place)->at <= at) --place;
    events_.insert(place, {at, std::move(event)});
  }

  Event take() {
    Event event = std::move(events_.back().event);
    events_.pop_back();
    return event;
  }

 private:
  struct Due {
    Instant at;
    Event event;
  };
  std::vector<Due> events_;
};

}  // namespace ue::sim
