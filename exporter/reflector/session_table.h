#pragma once
#include <array>
#include <list>
#include <span>
#include <unordered_map>
#include <vector>

#include "reflector/session.h"

namespace ue::reflector {

/// All sessions, in the order of their last packet, with the look-ups that a packet or a query needs. Memory
/// is bounded by the two limits; a session that has been idle for kIdle is forgotten, a live one never. Owned
/// by the core; passive.
class SessionTable {
 public:
  static constexpr Nanos kIdle = std::chrono::minutes(10);
  static constexpr std::size_t kMaxCandidates = 8;  ///< HMACs one packet may cost

  void set_limits(std::size_t max_sessions, std::size_t max_per_owner);

  enum class Refusal : std::uint8_t { none, table_full, owner_full };
  struct Created {
    Session* session = nullptr;
    Refusal refusal = Refusal::none;
  };
  /// A new session, or why there is no room. The id must be new.
  Created create(const SessionId& id, Instant now);
  Session* find(const SessionId& id);
  /// The newest session of an owner with this flow id, whatever its SSID.
  const Session* find_flow(const Owner& owner, std::uint64_t flow_id) const;
  /// The session whose newest packet came from here, of some key or of none.
  Session* at_tuple(bool keyed, const Endpoint& source, std::uint16_t ssid);
  /// The session with a flow id that was created last.
  Session* newest(const Owner& owner, std::uint16_t ssid);
  /// Owners that have sessions with flow ids under this SSID, newest first, at most out.size(); returns how
  /// many.
  std::size_t owners(std::uint16_t ssid, std::span<Owner> out) const;

  void touch(Session& session, Instant now);
  void record_endpoint(Session& session, const Endpoint& source);
  /// Forgets what has been idle for kIdle.
  void expire(Instant now);
  std::size_t size() const { return by_id_.size(); }

 private:
  struct Tuple {
    bool keyed;
    Endpoint source;
    std::uint16_t ssid;
    bool operator==(const Tuple&) const = default;
  };
  struct Flow {
    Owner owner;
    std::uint64_t flow_id;
    bool operator==(const Flow&) const = default;
  };
  struct Hash {
    std::size_t operator()(const SessionId& id) const;
    std::size_t operator()(const Tuple& tuple) const;
    std::size_t operator()(const Flow& flow) const;
    std::size_t operator()(const Owner& owner) const;
  };
  struct Group {  // sessions with flow ids of one owner and SSID, oldest first
    Owner owner;
    std::vector<Session*> sessions;
  };

  void forget(Session& session);
  void leave_tuple(Session& session);
  void leave_group(Session& session);

  std::size_t max_sessions_ = 0;
  std::size_t max_per_owner_ = 0;
  std::list<Session> by_age_;  ///< the longest idle first
  std::unordered_map<SessionId, Session*, Hash> by_id_;
  std::unordered_map<Tuple, Session*, Hash> by_tuple_;
  std::unordered_map<Flow, Session*, Hash> by_flow_;
  std::unordered_map<Owner, std::size_t, Hash> per_owner_;
  std::unordered_map<std::uint16_t, std::vector<Group>> by_ssid_;  ///< keyed owners only
};

}  // namespace ue::reflector
