#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ue::openvpn {

/// Who has arrived at a server, by common name. Pure; the session tracker owns one. Its size is bounded,
/// because the names are written by others: beyond the limits a client is still counted, but never known.
class ClientArrivals {
 public:
  static constexpr std::size_t kMaxClients = 16'384;
  static constexpr std::size_t kMaxName = 256;

  struct Client {
    std::string endpoint;  ///< of the newest arrival
    std::uint64_t arrivals = 0;
    std::uint64_t endpoint_changes = 0;
  };
  struct Arrival {
    bool known = false;             ///< the name was seen before
    bool endpoint_changed = false;  ///< ... elsewhere
  };

  Arrival arrive(std::string_view name, std::string_view endpoint);
  /// A known client goes on from another endpoint; true where that is a change.
  bool move(std::string_view name, std::string_view endpoint);

  /// Nothing for an unknown name.
  const Client* find(std::string_view name) const;
  std::size_t size() const { return clients_.size(); }
  std::uint64_t overflow() const { return overflow_; }  ///< arrivals that could not be remembered

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, Client, Hash, std::equal_to<>> clients_;
  std::uint64_t overflow_ = 0;
};

}  // namespace ue::openvpn
