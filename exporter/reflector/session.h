#pragma once
#include <compare>
#include <cstdint>
#include <optional>

#include "base/address.h"
#include "base/time.h"
#include "reflector/seeded_hash.h"
#include "reflector/sequence_window.h"

namespace ue::reflector {

/// Whose sessions: those of one gateway's key, or of everybody without one.
struct Owner {
  bool keyed = false;
  std::uint32_t key_id = 0;
  std::uint64_t gateway_id = 0;
  auto operator<=>(const Owner&) const = default;
};

struct OwnerHash {
  std::size_t operator()(const Owner& o) const {
    return SeededHash().add(o.keyed ? 1 : 0).add(o.key_id).add(o.gateway_id).value();
  }
};

/// Names a session. A sender of ours names it by a flow id, so that a NAT that re-binds does not tear it; a
/// foreign STAMP sender has no such name and is told apart by where it sends from.
struct SessionId {
  Owner owner;
  std::uint16_t ssid = 0;
  std::optional<std::uint64_t> flow_id;
  Endpoint source;  ///< left empty where there is a flow id
  auto operator<=>(const SessionId&) const = default;
};

/// One STAMP session as the reflector sees it.
struct Session {
  SessionId id;
  Instant last_seen{};              ///< of the newest packet that was no replay
  std::uint64_t received = 0;       ///< every packet whose HMAC was right
  std::uint64_t refused = 0;        ///< of these
  std::uint64_t sent = 0;           ///< replies; the next reply's Sequence Number (RFC 8762 §4.3, stateful)
  std::optional<WallTime> replied;  ///< when the newest reply was made
  std::uint32_t unproven = 0;  ///< packets of a foreign session that did not begin with sequence number 0
  SequenceWindow window;
  std::optional<Endpoint> endpoint;  ///< where the newest packet came from
  std::uint8_t ttl = 0;              ///< of the newest packet
  std::uint16_t holding = 0;         ///< replies of it that wait

  struct Links {  ///< SessionTable's own: numbers of slots
    std::uint32_t self = 0;
    std::uint32_t staler = 0;  ///< the next that has been idle for longer
    std::uint32_t fresher = 0;
    std::uint32_t elder = 0;  ///< created before, by the same owner under the same SSID
    std::uint32_t younger = 0;
  } links;
};

}  // namespace ue::reflector
