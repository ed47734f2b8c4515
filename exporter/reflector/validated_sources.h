#pragma once
#include <array>
#include <vector>

#include "reflector/session.h"

namespace ue::reflector {

/// From which addresses an owner is known to be reachable: an authenticated query came from there over TCP,
/// whose handshake nobody completes with a borrowed address. Only there are replies sent later. The table has
/// a fixed size; where it is crowded the oldest makes room. Owned by the core; passive.
class ValidatedSources {
 public:
  /// A prober asks every five minutes at least.
  static constexpr Nanos kValid = std::chrono::minutes(15);

  explicit ValidatedSources(std::size_t sources = 65'536);
  void validate(Instant now, const Owner& owner, const IpAddress& source);
  bool valid(Instant now, const Owner& owner, const IpAddress& source) const;

 private:
  static constexpr std::size_t kWays = 4;
  struct Entry {
    Owner owner;
    IpAddress source;
    Instant until{};  ///< zero: free
  };
  std::size_t set_of(const Owner& owner, const IpAddress& source) const;

  std::vector<std::array<Entry, kWays>> sets_;
};

}  // namespace ue::reflector
