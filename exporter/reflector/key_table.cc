#include "reflector/key_table.h"

#include "reflector/seeded_hash.h"

namespace ue::reflector {

std::size_t KeyTable::IdHash::operator()(const Id& id) const {
  return SeededHash().add(id.first).add(id.second).value();
}

KeyTable::KeyTable(std::vector<config::Key> keys) {
  for (auto& key : keys) {
    if (key.master) {
      masters_.emplace(key.key_id, key);
      continue;
    }
    gateways_.emplace(Id{key.key_id, key.gateway_id}, key.secret);
    sole_ = key;
  }
  if (gateways_.size() != 1) sole_.reset();
}

std::optional<config::Secret> KeyTable::find(std::uint32_t key_id, std::uint64_t gateway_id) const {
  const Id id{key_id, gateway_id};
  if (const auto own = gateways_.find(id); own != gateways_.end()) return own->second;
  if (const auto cached = derived_.find(id); cached != derived_.end()) return cached->second;
  if (const auto master = masters_.find(key_id); master != masters_.end()) {
    return config::derive_gateway_secret(master->second, gateway_id);
  }
  return std::nullopt;
}

void KeyTable::confirm(std::uint32_t key_id, std::uint64_t gateway_id, const config::Secret& secret) {
  const Id id{key_id, gateway_id};
  if (!masters_.contains(key_id) || gateways_.contains(id) || derived_.contains(id)) return;
  // Starting over costs every gateway one derivation; keeping an order of use would cost every packet.
  if (derived_.size() >= kMaxCached) derived_.clear();
  derived_.emplace(id, secret);
}

}  // namespace ue::reflector
