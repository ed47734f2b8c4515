#pragma once
#include <memory>
#include <optional>
#include <span>

#include "config/config.h"
#include "reflector/held_replies.h"
#include "reflector/key_table.h"
#include "reflector/outcome.h"
#include "reflector/rate_limiter.h"
#include "reflector/reply.h"
#include "reflector/reply_errors.h"
#include "reflector/session_table.h"
#include "reflector/validated_sources.h"
#include "stamp/query.h"

namespace ue::reflector {

/// What the core goes by; may be replaced while it runs.
struct Policy {
  bool allow_unauthenticated = false;
  config::ReflectorLimits limits;
  std::vector<config::Key> keys;
};

/// A stateful Session-Reflector (RFC 8762 §4.3, RFC 8972): datagrams in, at most one reply no longer than the
/// request out, and a count of what became of each. Owned by a shard, whose sessions it has; passive: it
/// knows no socket and no clock. It never answers what it cannot attribute to a session, and its memory is
/// bounded by the limits.
class ReflectorCore {
 public:
  /// `counts` is shared by the cores of one reflector's shards.
  ReflectorCore(Policy policy, Instance instance,
                std::shared_ptr<SharedCounts> counts = std::make_shared<SharedCounts>());

  /// Writes the reply into `out` (kMaxDatagram octets; may be where the request is) and returns it; nothing
  /// where there is none to send. The reply's Timestamp is `now.wall`.
  std::optional<Reply> handle(const Now& now, const Datagram& datagram, std::span<std::uint8_t> out);

  /// A reply whose time has come, and the request that it answers; nothing where none is due. Valid until the
  /// next call. Call it at next_due(), until it returns nothing.
  struct Late {
    Reply reply;
    const Datagram* request;
  };
  std::optional<Late> take_due(const Now& now, std::span<std::uint8_t> out);
  std::optional<Instant> next_due() const { return holds_.next(); }
  /// An authenticated query came from there: replies may be sent there later.
  void validate(Instant now, const Owner& owner, const IpAddress& source) {
    sources_.validate(now, owner, source);
  }

  /// An ICMP error about a reply of ours. False: none of this core's sessions is where that reply went, or
  /// what is quoted of it (RFC 1812 §4.3.2.3: as much as fits) has not our HMAC.
  bool note_reply_error(Instant now, const IcmpAboutReply& error);

  /// Keys, limits and permissions from now on. Sessions stay; those of a key that is gone are never matched
  /// again.
  void replace_policy(Policy policy);
  /// Error Estimate of this machine's clock, for the replies to come.
  void set_error_estimate(stamp::ErrorEstimate estimate) { error_estimate_ = estimate; }
  /// Forgets idle sessions; call it about once a second.
  void tick(Instant now) { sessions_.expire(now); }

  /// What was received from an owner's flow; `known` is false where that owner has no such flow.
  stamp::FlowReport report(Instant now, const Owner& owner, std::uint64_t flow_id) const;

  const KeyTable& keys() const { return *keys_; }
  const Instance& instance() const { return instance_; }
  bool allow_unauthenticated() const { return allow_unauthenticated_; }
  const OutcomeCounts& outcomes() const { return outcomes_; }
  std::uint64_t count(Outcome o) const { return outcomes_[static_cast<std::size_t>(o)]; }
  std::size_t sessions() const { return sessions_.size(); }
  std::size_t sessions_limit() const { return sessions_limit_; }
  std::uint64_t sessions_started() const { return sessions_started_; }
  std::uint64_t count(HoldOutcome o) const { return hold_outcomes_[static_cast<std::size_t>(o)]; }
  std::size_t holding() const { return holds_.size(); }

  /// Packets after which a foreign sender that was not seen to begin is believed to be none of ours: more
  /// than a sender of ours can have on the way before it names its flow again.
  static constexpr std::uint32_t kForeignProof = 10;
  /// A foreign, unauthenticated sender that repeats sequence numbers for so long has started anew.
  static constexpr Nanos kForeignRestart = std::chrono::seconds(3);

 private:
  /// A packet whose sender is established.
  struct Request {
    const Datagram& datagram;
    stamp::Mode mode;
    stamp::SenderPacket packet;
    Owner owner;
    std::optional<config::Secret> secret;
    Wishes wishes;
    bool integrity_ok = true;  ///< no HMAC TLV was needed, or it was right
    bool within_rate = true;
    bool at_tuple = false;  ///< its session was found by where it came from: nothing of that has changed
  };
  using Step = std::optional<Outcome>;  ///< what ended the packet's way, or nothing: it goes on

  Outcome process(const Now& now, const Datagram& datagram, std::span<std::uint8_t> out, Reply& reply);
  Step authenticate(Request& request);
  Step try_owner(Request& request, const Owner& owner);
  Step find_session(const Now& now, Request& request, Session*& session);
  Step find_or_create(const Now& now, const SessionId& id, const Request& request, Session*& session);
  Step receive(const Now& now, const Request& request, Session& session);
  bool hold(const Now& now, const Request& request, Session& session);
  Reply answer(const Now& now, const Request& request, Session& session, Nanos held,
               std::span<std::uint8_t> out);

  bool allow_unauthenticated_ = false;
  std::size_t sessions_limit_ = 0;
  std::unique_ptr<KeyTable> keys_;
  Instance instance_;
  stamp::ErrorEstimate error_estimate_;
  SessionTable sessions_;
  RateLimiter limiter_;
  HeldReplies holds_;
  ValidatedSources sources_;
  ReplyErrors reply_errors_;
  OutcomeCounts outcomes_{};
  std::array<std::uint64_t, kHoldOutcomes> hold_outcomes_{};
  std::uint64_t sessions_started_ = 0;
};

}  // namespace ue::reflector
