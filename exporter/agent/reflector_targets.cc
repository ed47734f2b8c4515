#include "agent/reflector_targets.h"

#include <algorithm>

#include "base/log.h"
#include "config/key_file.h"

namespace ue::agent {

namespace {

constexpr Nanos kRetry = std::chrono::seconds(60);

}  // namespace

void ReflectorTargets::set(const std::vector<config::Reflector>& reflectors, Instant now) {
  order_.clear();
  by_name_.clear();
  for (const auto& r : reflectors) {
    order_.push_back(r.name);
    by_name_[r.name] = State{{r, std::nullopt}, ""};
  }
  (void)load_keys(now);
}

bool ReflectorTargets::retry(Instant now) {
  const bool off =
      std::any_of(by_name_.begin(), by_name_.end(), [](const auto& r) { return !r.second.fault.empty(); });
  return off && now >= retry_at_ && load_keys(now);
}

bool ReflectorTargets::load_keys(Instant now) {
  bool mended = false;
  retry_at_ = now + kRetry;
  for (auto& [name, r] : by_name_) {
    auto& [config, identity] = r.target;
    if (config.protocol == config::Protocol::stun || config.key_file.empty() || identity) continue;
    const auto key = config::load_gateway_key(config.key_file);
    if (!key) {
      if (r.fault != key.error()) log::error("KEY_UNUSABLE", "reflector {} is off: {}", name, key.error());
      r.fault = key.error();
      continue;
    }
    r.fault.clear();
    mended = true;
    identity = probe::Identity{key->key_id, key->gateway_id, key->secret};
  }
  return mended;
}

std::vector<ReflectorTarget> ReflectorTargets::usable() const {
  std::vector<ReflectorTarget> targets;
  for (const auto& name : order_) {
    const auto& r = by_name_.at(name);
    if (r.fault.empty()) targets.push_back(r.target);
  }
  return targets;
}

}  // namespace ue::agent
