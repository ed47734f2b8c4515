#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>

#include "base/address.h"

namespace ue::reflector {

/// The open connections of the query channel, at most `limit` of them. Where a further one comes it is let in
/// and the oldest of the source that has the most must go: whoever opens many and says nothing takes places
/// only from himself. A source is an IPv4 address or an IPv6 /56. Shared by the servers of a process, on
/// their loop's thread; passive.
class Connections {
 public:
  std::uint32_t limit = 64;

  /// One connection's place; given back when it is destroyed. Outlives neither the connections nor the
  /// thread.
  class Place {
   public:
    Place(Connections& all, const IpAddress& source) : all_(all), source_(source) {}
    ~Place() { all_.leave(*this); }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    /// `end` is called at once where the place is lost already, else when it is; at most once.
    void on_loss(std::function<void()> end);
    bool lost() const { return lost_; }

   private:
    friend class Connections;
    Connections& all_;
    const IpAddress source_;
    std::function<void()> end_;
    bool lost_ = false;
    std::list<Place*>::iterator at_;
  };

  /// Never refuses; another place may be lost for it.
  std::unique_ptr<Place> enter(const IpAddress& peer);
  std::size_t open() const { return open_.size(); }

 private:
  void leave(Place& place);
  void take_from_the_greediest();

  std::list<Place*> open_;  ///< the oldest first
  std::map<IpAddress, std::uint32_t> per_source_;
};

}  // namespace ue::reflector
