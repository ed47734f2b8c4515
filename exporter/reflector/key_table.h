#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/key_file.h"

namespace ue::reflector {

/// The keys that sessions may be signed with. A gateway without a line of its own gets its secret derived
/// from the master of its key id; derived secrets are cached once a packet has proved that such a gateway
/// exists, so strangers who guess ids cost one derivation and no memory. Owned by the core; passive.
class KeyTable {
 public:
  explicit KeyTable(std::vector<config::Key> keys);

  /// Nothing where neither a gateway line nor a master fits.
  std::optional<config::Secret> find(std::uint32_t key_id, std::uint64_t gateway_id) const;
  /// Caches what find() derived, after it verified a message.
  void confirm(std::uint32_t key_id, std::uint64_t gateway_id, const config::Secret& secret);
  /// The only gateway line, if the file has exactly one: the key of senders that cannot name theirs.
  const config::Key* sole() const { return sole_ ? &*sole_ : nullptr; }
  bool empty() const { return gateways_.empty() && masters_.empty(); }
  std::size_t cached() const { return derived_.size(); }

  static constexpr std::size_t kMaxCached = 16'384;

 private:
  using Id = std::pair<std::uint32_t, std::uint64_t>;
  struct IdHash {
    std::size_t operator()(const Id& id) const;
  };
  using Secrets = std::unordered_map<Id, config::Secret, IdHash>;

  Secrets gateways_;
  Secrets derived_;
  std::unordered_map<std::uint32_t, config::Key> masters_;
  std::optional<config::Key> sole_;
};

}  // namespace ue::reflector
