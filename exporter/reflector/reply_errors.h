#pragma once
#include <optional>
#include <vector>

#include "reflector/session.h"
#include "stamp/query.h"

namespace ue::reflector {

/// An ICMP error about a reply, as the socket's error queue gave it.
struct IcmpAboutReply {
  std::uint8_t type = 0;
  std::uint8_t code = 0;
  std::uint8_t ttl = 0;  ///< of the ICMP packet on arrival; 0: not known
  IpAddress offender;
  Endpoint destination;  ///< where the reply was sent
  ByteView reply;        ///< as much of its payload as the error quotes
};

/// The newest ICMP error about a reply of each of the last kMost sessions that had one. Owned by the core;
/// passive. What is put in has been found to be about a reply that was really sent.
class ReplyErrors {
 public:
  static constexpr std::size_t kMost = 1024;

  void note(Instant now, const SessionId& session, const IcmpAboutReply& error);
  /// Of this owner's flow; nothing where there was none, or so many since that it is forgotten.
  std::optional<stamp::ReplyError> find(Instant now, const Owner& owner, std::uint64_t flow_id) const;
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Owner owner;
    std::uint64_t flow_id;
    Instant at;
    stamp::ReplyError error;
  };
  std::vector<Entry> entries_;
  std::size_t oldest_ = 0;  ///< overwritten next, once all places are taken
};

}  // namespace ue::reflector
