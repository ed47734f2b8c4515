#include "reflector/session_table.h"

#include <algorithm>

namespace ue::reflector {

namespace {

std::uint64_t hash_of(const SessionId& id) {
  auto hash = SeededHash();
  hash.add(OwnerHash()(id.owner)).add(id.ssid);
  return id.flow_id ? hash.add(*id.flow_id).value() : hash.add(id.source).value();
}
std::uint64_t hash_of(const Owner& owner, std::uint64_t flow_id) {
  return SeededHash().add(OwnerHash()(owner)).add(flow_id).value();
}
std::uint64_t hash_of(bool keyed, const Endpoint& source, std::uint16_t ssid) {
  return SeededHash().add(source).add(std::uint64_t{ssid} << 1 | (keyed ? 1 : 0)).value();
}

template <typename Groups>
auto find_group(Groups& groups, const Owner& owner) {
  return std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.owner == owner; });
}

}  // namespace

SessionTable::SessionTable(std::shared_ptr<SharedCounts> counts) : counts_(std::move(counts)) {}

void SessionTable::set_limits(std::uint32_t max_sessions, std::uint32_t max_per_owner) {
  max_sessions_ = max_sessions;
  max_per_owner_ = max_per_owner;
  if (max_sessions > capacity_) grow(max_sessions);
}

void SessionTable::grow(std::uint32_t capacity) {
  capacity_ = capacity;
  slots_.reserve(capacity);
  SlotIndex ids(capacity), flows(capacity), tuples(capacity);
  for (auto slot = stalest_; slot != kNone; slot = slots_[slot].links.fresher) {
    const auto& s = slots_[slot];
    ids.insert(hash_of(s.id), slot);
    if (s.id.flow_id && slot_of(s.id.owner, *s.id.flow_id) == slot)
      flows.insert(hash_of(s.id.owner, *s.id.flow_id), slot);
    if (s.endpoint && slot_of(s.id.owner.keyed, *s.endpoint, s.id.ssid) == slot)
      tuples.insert(hash_of(s.id.owner.keyed, *s.endpoint, s.id.ssid), slot);
  }
  by_id_ = std::move(ids);
  by_flow_ = std::move(flows);
  by_tuple_ = std::move(tuples);
}

SessionTable::Created SessionTable::create(const SessionId& id, Instant now) {
  expire(now);
  if (size_ >= max_sessions_) return {nullptr, Refusal::table_full};
  if (!counts_->sessions.take(id.owner, max_per_owner_)) return {nullptr, Refusal::owner_full};
  auto& session = take_slot();
  session.id = id;
  session.last_seen = now;
  become_freshest(session);
  by_id_.insert(hash_of(id), session.links.self);
  if (id.flow_id) {
    join_flow(session);
    if (id.owner.keyed) join_group(session);
  }
  return {&session, Refusal::none};
}

Session& SessionTable::take_slot() {
  ++size_;
  std::uint32_t slot = free_;
  if (slot != kNone) {
    free_ = slots_[slot].links.fresher;
    slots_[slot] = Session{};
  } else {
    slot = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  }
  slots_[slot].links = {slot, kNone, kNone, kNone, kNone};
  return slots_[slot];
}

std::uint32_t SessionTable::slot_of(const SessionId& id) const {
  return by_id_.find(hash_of(id), [&](std::uint32_t slot) { return slots_[slot].id == id; });
}
std::uint32_t SessionTable::slot_of(const Owner& owner, std::uint64_t flow_id) const {
  return by_flow_.find(hash_of(owner, flow_id), [&](std::uint32_t slot) {
    return slots_[slot].id.flow_id == flow_id && slots_[slot].id.owner == owner;
  });
}
std::uint32_t SessionTable::slot_of(bool keyed, const Endpoint& source, std::uint16_t ssid) const {
  return by_tuple_.find(hash_of(keyed, source, ssid), [&](std::uint32_t slot) {
    const auto& s = slots_[slot];
    return s.id.ssid == ssid && s.id.owner.keyed == keyed && s.endpoint == source;
  });
}

Session* SessionTable::find(const SessionId& id) { return at(slot_of(id)); }

const Session* SessionTable::find_flow(const Owner& owner, std::uint64_t flow_id) const {
  const auto slot = slot_of(owner, flow_id);
  return slot == kNone ? nullptr : &slots_[slot];
}

Session* SessionTable::at_tuple(bool keyed, const Endpoint& source, std::uint16_t ssid) {
  return at(slot_of(keyed, source, ssid));
}

Session* SessionTable::newest(const Owner& owner, std::uint16_t ssid) {
  const auto groups = by_ssid_.find(ssid);
  if (groups == by_ssid_.end()) return nullptr;
  const auto group = find_group(groups->second, owner);
  return group == groups->second.end() ? nullptr : at(group->youngest);
}

std::size_t SessionTable::owners(std::uint16_t ssid, std::span<Owner> out) const {
  const auto groups = by_ssid_.find(ssid);
  if (groups == by_ssid_.end()) return 0;
  const auto count = std::min(out.size(), groups->second.size());
  for (std::size_t i = 0; i < count; ++i)
    out[i] = (groups->second.rbegin() + static_cast<std::ptrdiff_t>(i))->owner;
  return count;
}

void SessionTable::touch(Session& session, Instant now) {
  session.last_seen = now;
  if (session.links.self == freshest_) return;
  leave_ages(session);
  become_freshest(session);
}

void SessionTable::become_freshest(Session& session) {
  session.links.staler = freshest_;
  session.links.fresher = kNone;
  (freshest_ == kNone ? stalest_ : slots_[freshest_].links.fresher) = session.links.self;
  freshest_ = session.links.self;
}

void SessionTable::leave_ages(const Session& session) {
  const auto [self, staler, fresher, elder, younger] = session.links;
  (staler == kNone ? stalest_ : slots_[staler].links.fresher) = fresher;
  (fresher == kNone ? freshest_ : slots_[fresher].links.staler) = staler;
}

void SessionTable::record_endpoint(Session& session, const Endpoint& source) {
  const bool keyed = session.id.owner.keyed;
  const auto holder = slot_of(keyed, source, session.id.ssid);
  if (holder == session.links.self) return;
  const auto hash = hash_of(keyed, source, session.id.ssid);
  if (holder != kNone) by_tuple_.erase(hash, holder);
  leave_tuple(session);
  session.endpoint = source;
  by_tuple_.insert(hash, session.links.self);
}

void SessionTable::expire(Instant now) {
  while (stalest_ != kNone && now - slots_[stalest_].last_seen >= kIdle) forget(slots_[stalest_]);
}

void SessionTable::forget(Session& session) {
  const auto self = session.links.self;
  const auto& id = session.id;
  leave_tuple(session);
  if (id.flow_id) {
    by_flow_.erase(hash_of(id.owner, *id.flow_id), self);
    if (id.owner.keyed) leave_group(session);
  }
  by_id_.erase(hash_of(id), self);
  leave_ages(session);
  counts_->sessions.give_back(id.owner);
  session.links.fresher = free_;
  free_ = self;
  --size_;
}

void SessionTable::leave_tuple(const Session& session) {
  if (session.endpoint)
    by_tuple_.erase(hash_of(session.id.owner.keyed, *session.endpoint, session.id.ssid), session.links.self);
}

/// Of several sessions with the same flow id the newest is the one that is meant.
void SessionTable::join_flow(const Session& session) {
  const auto& id = session.id;
  const auto hash = hash_of(id.owner, *id.flow_id);
  if (const auto older = slot_of(id.owner, *id.flow_id); older != kNone) by_flow_.erase(hash, older);
  by_flow_.insert(hash, session.links.self);
}

void SessionTable::join_group(Session& session) {
  auto& groups = by_ssid_[session.id.ssid];
  auto group = find_group(groups, session.id.owner);
  if (group == groups.end()) {
    groups.push_back({session.id.owner, session.links.self});
    return;
  }
  session.links.elder = group->youngest;
  slots_[group->youngest].links.younger = session.links.self;
  group->youngest = session.links.self;
  std::rotate(group, group + 1, groups.end());  // the newest owner stands last
}

void SessionTable::leave_group(const Session& session) {
  const auto [self, staler, fresher, elder, younger] = session.links;
  if (elder != kNone) slots_[elder].links.younger = younger;
  if (younger != kNone) {
    slots_[younger].links.elder = elder;
    return;
  }
  const auto groups = by_ssid_.find(session.id.ssid);
  const auto group = find_group(groups->second, session.id.owner);
  group->youngest = elder;
  if (elder == kNone) groups->second.erase(group);
  if (groups->second.empty()) by_ssid_.erase(groups);
}

}  // namespace ue::reflector
