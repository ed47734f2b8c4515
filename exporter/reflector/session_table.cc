#include "reflector/session_table.h"

#include <algorithm>

#include "reflector/seeded_hash.h"

namespace ue::reflector {

namespace {

SeededHash hash_of(const Owner& o) {
  return SeededHash().add(o.keyed ? 1 : 0).add(o.key_id).add(o.gateway_id);
}

template <typename Groups>
auto find_group(Groups& groups, const Owner& owner) {
  return std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.owner == owner; });
}

}  // namespace

std::size_t SessionTable::Hash::operator()(const SessionId& id) const {
  auto hash = hash_of(id.owner).add(id.ssid).add(id.flow_id.has_value() ? 1 : 0).add(id.flow_id.value_or(0));
  return hash.add(id.source).value();
}
std::size_t SessionTable::Hash::operator()(const Tuple& t) const {
  return SeededHash().add(t.keyed ? 1 : 0).add(t.source).add(t.ssid).value();
}
std::size_t SessionTable::Hash::operator()(const Flow& f) const {
  return hash_of(f.owner).add(f.flow_id).value();
}
std::size_t SessionTable::Hash::operator()(const Owner& owner) const { return hash_of(owner).value(); }

void SessionTable::set_limits(std::size_t max_sessions, std::size_t max_per_owner) {
  max_sessions_ = max_sessions;
  max_per_owner_ = max_per_owner;
}

SessionTable::Created SessionTable::create(const SessionId& id, Instant now) {
  expire(now);
  if (by_id_.size() >= max_sessions_) return {nullptr, Refusal::table_full};
  auto& count = per_owner_[id.owner];
  if (count >= max_per_owner_) {
    if (count == 0) per_owner_.erase(id.owner);
    return {nullptr, Refusal::owner_full};
  }
  ++count;
  auto& session = by_age_.emplace_back();
  session.id = id;
  session.last_seen = now;
  session.place = std::prev(by_age_.end());
  by_id_[id] = &session;
  if (id.flow_id) {
    by_flow_[{id.owner, *id.flow_id}] = &session;
    if (id.owner.keyed) {
      auto& groups = by_ssid_[id.ssid];
      auto group = find_group(groups, id.owner);
      if (group == groups.end()) group = groups.insert(group, Group{id.owner, {}});
      group->sessions.push_back(&session);
      std::rotate(group, group + 1, groups.end());  // the newest owner stands last
    }
  }
  return {&session, Refusal::none};
}

Session* SessionTable::find(const SessionId& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

const Session* SessionTable::find_flow(const Owner& owner, std::uint64_t flow_id) const {
  const auto found = by_flow_.find({owner, flow_id});
  return found == by_flow_.end() ? nullptr : found->second;
}

Session* SessionTable::at_tuple(bool keyed, const Endpoint& source, std::uint16_t ssid) {
  const auto found = by_tuple_.find({keyed, source, ssid});
  return found == by_tuple_.end() ? nullptr : found->second;
}

Session* SessionTable::newest(const Owner& owner, std::uint16_t ssid) {
  const auto groups = by_ssid_.find(ssid);
  if (groups == by_ssid_.end()) return nullptr;
  const auto group = find_group(groups->second, owner);
  return group == groups->second.end() ? nullptr : group->sessions.back();
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
  by_age_.splice(by_age_.end(), by_age_, session.place);
}

void SessionTable::record_endpoint(Session& session, const Endpoint& source) {
  auto& slot = by_tuple_[{session.id.owner.keyed, source, session.id.ssid}];
  if (slot == &session) return;
  slot = &session;
  if (session.endpoint != source) leave_tuple(session);
  session.endpoint = source;
}

void SessionTable::expire(Instant now) {
  while (!by_age_.empty() && now - by_age_.front().last_seen >= kIdle) forget(by_age_.front());
}

void SessionTable::forget(Session& session) {
  leave_tuple(session);
  if (session.id.flow_id) {
    const auto flow = by_flow_.find({session.id.owner, *session.id.flow_id});
    if (flow != by_flow_.end() && flow->second == &session) by_flow_.erase(flow);
    if (session.id.owner.keyed) leave_group(session);
  }
  const auto count = per_owner_.find(session.id.owner);
  if (--count->second == 0) per_owner_.erase(count);
  by_id_.erase(session.id);
  by_age_.erase(session.place);  // destroys the session
}

void SessionTable::leave_tuple(Session& session) {
  if (!session.endpoint) return;
  const auto tuple = by_tuple_.find({session.id.owner.keyed, *session.endpoint, session.id.ssid});
  if (tuple != by_tuple_.end() && tuple->second == &session) by_tuple_.erase(tuple);
}

void SessionTable::leave_group(Session& session) {
  const auto groups = by_ssid_.find(session.id.ssid);
  const auto group = find_group(groups->second, session.id.owner);
  std::erase(group->sessions, &session);
  if (group->sessions.empty()) groups->second.erase(group);
  if (groups->second.empty()) by_ssid_.erase(groups);
}

}  // namespace ue::reflector
