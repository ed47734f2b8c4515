#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "openvpn/by_name.h"

namespace ue::openvpn {

/// Who has arrived at a server, by common name. Pure; the session tracker owns one. Its size is bounded,
/// because the names are written by others: beyond the limits a client is still counted, but never known.
class ClientArrivals {
 public:
  struct Client {
    std::uint64_t endpoint = 0;          ///< hash of where it is: only compared, and soon looked up
    std::uint64_t arrivals = 0;          ///< all that are known of
    std::uint64_t counted = 0;           ///< without those before our time
    std::uint64_t endpoint_changes = 0;  ///< as arrivals are counted
    bool first_seen = true;  ///< its first arrival is its newest, and nothing speaks for an older one

    bool is_at(std::string_view where) const { return endpoint == NameHash{}(where); }
  };
  struct Arrival {
    bool known = false;             ///< the name was seen before
    bool endpoint_changed = false;  ///< ... elsewhere
  };

  /// `replayed`: it teaches, and counts for nothing.
  Arrival arrive(std::string_view name, std::string_view endpoint, bool replayed = false);
  /// The server drops an older session of `name`. True where that one began before our time, so that what
  /// looked like a first arrival was none; it came from elsewhere, since the older one was still there.
  bool was_known(std::string_view name, bool replayed = false);
  /// A known client goes on from another endpoint; true where that is a change. An empty endpoint is one that
  /// the source does not tell.
  bool move(std::string_view name, std::string_view endpoint, bool replayed = false);

  /// Nothing for an unknown name.
  const Client* find(std::string_view name) const;
  /// Everybody, in the order of their names.
  std::map<std::string_view, const Client*> by_name() const;
  std::size_t size() const { return clients_.size(); }
  std::uint64_t overflow() const { return overflow_; }  ///< arrivals that could not be remembered

 private:
  static bool move(Client& client, std::string_view endpoint, bool replayed);

  ByName<Client> clients_;
  std::uint64_t overflow_ = 0;
};

}  // namespace ue::openvpn
