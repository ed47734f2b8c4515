#pragma once
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "reflector/shared_counts.h"
#include "reflector/slot_index.h"

namespace ue::reflector {

/// All sessions of a shard, in the order of their last packet, with the look-ups that a packet or a query
/// needs. Their memory is reserved for the limit at the start and used as they come; a packet of a known
/// session allocates nothing. A session that has been idle for kIdle is forgotten, a live one never. Owned by
/// the core; passive. What it returns is valid until the next create(), expire() or set_limits().
class SessionTable {
 public:
  static constexpr Nanos kIdle = std::chrono::minutes(10);
  static constexpr std::size_t kMaxCandidates = 8;  ///< HMACs one packet may cost

  explicit SessionTable(std::shared_ptr<SharedCounts> counts);

  /// Fewer than there are makes none go. More than ever before takes new memory and moves the sessions into
  /// it.
  void set_limits(std::uint32_t max_sessions, std::uint32_t max_per_owner);

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
  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint32_t kNone = SlotIndex::kNone;
  struct Group {  // sessions with flow ids of one owner and SSID
    Owner owner;
    std::uint32_t youngest;
  };

  Session* at(std::uint32_t slot) { return slot == kNone ? nullptr : &slots_[slot]; }
  std::uint32_t slot_of(const SessionId& id) const;
  std::uint32_t slot_of(const Owner& owner, std::uint64_t flow_id) const;
  std::uint32_t slot_of(bool keyed, const Endpoint& source, std::uint16_t ssid) const;
  void grow(std::uint32_t capacity);
  Session& take_slot();
  void become_freshest(Session& session);
  void leave_ages(const Session& session);
  void join_flow(const Session& session);
  void join_group(Session& session);
  void leave_group(const Session& session);
  void leave_tuple(const Session& session);
  void forget(Session& session);

  std::shared_ptr<SharedCounts> counts_;
  std::uint32_t max_sessions_ = 0;
  std::uint32_t max_per_owner_ = 0;
  std::uint32_t size_ = 0;
  std::vector<Session> slots_;  ///< reserved for capacity_; grows to what was needed at once
  std::uint32_t capacity_ = 0;
  std::uint32_t free_ = kNone;  ///< chained by fresher
  std::uint32_t stalest_ = kNone;
  std::uint32_t freshest_ = kNone;
  SlotIndex by_id_;
  SlotIndex by_flow_;
  SlotIndex by_tuple_;
  std::unordered_map<std::uint16_t, std::vector<Group>> by_ssid_;  ///< keyed owners only, the newest last
};

}  // namespace ue::reflector
