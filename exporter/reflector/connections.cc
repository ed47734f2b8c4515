#include "reflector/connections.h"

#include <algorithm>
#include <utility>

namespace ue::reflector {

namespace {

/// What one subscriber is given (RFC 6177).
IpAddress subscriber(const IpAddress& address) {
  if (address.is_v4()) return address;
  auto bytes = address.bytes();
  std::fill(bytes.begin() + 7, bytes.end(), std::uint8_t{0});
  return IpAddress::v6(bytes);
}

}  // namespace

void Connections::Place::on_loss(std::function<void()> end) {
  if (lost_) {
    end();
  } else {
    end_ = std::move(end);
  }
}

std::unique_ptr<Connections::Place> Connections::enter(const IpAddress& peer) {
  auto place = std::make_unique<Place>(*this, subscriber(peer));
  place->at_ = open_.insert(open_.end(), place.get());
  ++per_source_[place->source_];
  while (open_.size() > limit) take_from_the_greediest();
  return place;
}

void Connections::take_from_the_greediest() {
  const auto most =
      std::max_element(per_source_.begin(), per_source_.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      })->second;
  // Among equals the oldest: it has had its time.
  auto& place = **std::find_if(open_.begin(), open_.end(),
                               [&](const Place* p) { return per_source_.at(p->source_) == most; });
  leave(place);
  place.lost_ = true;
  if (const auto end = std::exchange(place.end_, {})) end();
}

void Connections::leave(Place& place) {
  if (place.lost_) return;
  open_.erase(place.at_);
  const auto source = per_source_.find(place.source_);
  if (--source->second == 0) per_source_.erase(source);
}

}  // namespace ue::reflector
