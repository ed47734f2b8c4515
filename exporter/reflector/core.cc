#include "reflector/core.h"

#include <algorithm>

namespace ue::reflector {

namespace {

/// Longer than a datagram waits in a receive buffer: beyond it a clock was set.
constexpr Nanos kMostQueued = std::chrono::seconds(1);

}  // namespace

ReflectorCore::ReflectorCore(Policy policy, Instance instance, std::shared_ptr<SharedCounts> counts)
    : instance_(instance), sessions_(counts), limiter_(1, 1), holds_(policy.limits, counts) {
  replace_policy(std::move(policy));
}

void ReflectorCore::replace_policy(Policy policy) {
  allow_unauthenticated_ = policy.allow_unauthenticated;
  sessions_limit_ = policy.limits.max_sessions;
  keys_ = std::make_unique<KeyTable>(std::move(policy.keys));
  sessions_.set_limits(policy.limits.max_sessions, policy.limits.max_sessions_per_key);
  holds_.set_limits(policy.limits);
  const auto rate = policy.limits.packets_per_second_per_source;
  limiter_.set_rate(rate, rate);  // a second's worth may come at once
}

std::optional<Reply> ReflectorCore::handle(const Now& now, const Datagram& datagram,
                                           std::span<std::uint8_t> out) {
  Reply reply;
  const auto outcome = process(now, datagram, out, reply);
  ++outcomes_[static_cast<std::size_t>(outcome)];
  if (outcome != Outcome::reflected) return std::nullopt;
  return reply;
}

Outcome ReflectorCore::process(const Now& now, const Datagram& datagram, std::span<std::uint8_t> out,
                               Reply& reply) {
  const auto bytes = datagram.bytes;
  if (bytes.size() > kMaxDatagram) return Outcome::oversized;
  if (bytes.size() < stamp::kUnauthenticatedSize) return Outcome::too_short;
  Request request{datagram, guess_mode(bytes), {}, {}, {}, {}};
  if (bytes.size() < stamp::base_size(request.mode)) return Outcome::too_short;
  request.wishes = read_wishes(bytes, request.mode);
  if (const auto end = authenticate(request)) return *end;

  const auto packet = stamp::parse_sender(bytes, request.mode);
  if (!packet || datagram.source.port == 0) return Outcome::malformed;
  if (!is_request(bytes, request.mode)) return Outcome::looped;
  request.packet = *packet;
  request.within_rate = limiter_.allow(now.mono, datagram.source.address);

  Session* session = nullptr;
  if (const auto end = find_session(now, request, session)) return *end;
  if (const auto end = receive(now, request, *session)) return *end;
  if (hold(now, request, *session)) return Outcome::held;
  reply = answer(now, request, *session, {}, out);
  return Outcome::reflected;
}

/// False: it is to be answered at once.
bool ReflectorCore::hold(const Now& now, const Request& request, Session& session) {
  const auto& flow = request.wishes.flow;
  if (!request.owner.keyed || !request.integrity_ok || !flow || flow->hold_ms == 0 ||
      flow->hold_ms > HeldReplies::kMaxHoldMs)
    return false;
  // The time that the datagram has spent in the receive buffer counts.
  const auto waited = std::clamp<Nanos>(now.wall - request.datagram.received, Nanos::zero(), kMostQueued);
  const auto outcome = sources_.valid(now.mono, request.owner, request.datagram.source.address)
                           ? holds_.hold(now.mono - waited, std::chrono::milliseconds(flow->hold_ms),
                                         request.datagram, session)
                           : HoldOutcome::not_validated;
  ++hold_outcomes_[static_cast<std::size_t>(outcome)];
  return outcome == HoldOutcome::held;
}

std::optional<ReflectorCore::Late> ReflectorCore::take_due(const Now& now, std::span<std::uint8_t> out) {
  while (const auto* held = holds_.take(now.mono)) {
    auto* session = sessions_.find(held->session);
    const auto secret = keys_->find(held->session.owner.key_id, held->session.owner.gateway_id);
    if (session != nullptr) --session->holding;
    if (session == nullptr || !secret) {
      ++hold_outcomes_[static_cast<std::size_t>(HoldOutcome::dropped)];
      continue;
    }
    Request request{held->datagram, stamp::Mode::authenticated, {}, held->session.owner, secret, {}};
    request.packet = *stamp::parse_sender(held->datagram.bytes, request.mode);
    ++hold_outcomes_[static_cast<std::size_t>(HoldOutcome::sent)];
    return Late{answer(now, request, *session, now.mono - held->since, out), &held->datagram};
  }
  return std::nullopt;
}

ReflectorCore::Step ReflectorCore::authenticate(Request& request) {
  if (request.mode == stamp::Mode::unauthenticated) {
    if (!allow_unauthenticated_) return Outcome::unauthenticated;
    // Without a key, its HMAC TLV is one that we do not understand.
    if (request.wishes.has_hmac && keys_->sole() != nullptr) {
      request.secret = keys_->sole()->secret;
      request.integrity_ok = stamp::verify_hmac_tlv(request.datagram.bytes, request.mode, *request.secret);
    }
    return std::nullopt;
  }
  if (const auto& flow = request.wishes.flow)
    return try_owner(request, {true, flow->key_id, flow->gateway_id});

  const auto ssid = *stamp::peek_ssid(request.datagram.bytes, request.mode);
  std::array<Owner, SessionTable::kMaxCandidates + 2> candidates{};
  std::size_t count = 0;
  if (const auto* session = sessions_.at_tuple(true, request.datagram.source, ssid)) {
    candidates[count++] = session->id.owner;
  }
  count += sessions_.owners(ssid, std::span(candidates).subspan(count, SessionTable::kMaxCandidates));
  if (const auto* sole = keys_->sole()) candidates[count++] = {true, sole->key_id, sole->gateway_id};
  for (auto owner = candidates.begin(); owner != candidates.begin() + count; ++owner) {
    const bool tried = std::find(candidates.begin(), owner, *owner) != owner;
    if (!tried && !try_owner(request, *owner)) return std::nullopt;
  }
  return count == 0 ? Outcome::unknown_session : Outcome::bad_hmac;
}

ReflectorCore::Step ReflectorCore::try_owner(Request& request, const Owner& owner) {
  const auto secret = keys_->find(owner.key_id, owner.gateway_id);
  if (!secret) return Outcome::unknown_key;
  if (!stamp::verify_base(request.datagram.bytes, *secret)) return Outcome::bad_hmac;
  keys_->confirm(owner.key_id, owner.gateway_id, *secret);
  request.owner = owner;
  request.secret = secret;
  request.integrity_ok =
      !request.wishes.needs_hmac || stamp::verify_hmac_tlv(request.datagram.bytes, request.mode, *secret);
  return std::nullopt;
}

ReflectorCore::Step ReflectorCore::find_session(const Now& now, Request& request, Session*& session) {
  const bool keyed = request.owner.keyed;
  const auto ssid = request.packet.ssid;
  std::optional<std::uint64_t> flow_id = request.wishes.name;
  if (keyed) {
    flow_id.reset();
    if (request.wishes.flow && request.integrity_ok) flow_id = request.wishes.flow->flow_id;
  }
  if (flow_id) return find_or_create(now, {request.owner, ssid, flow_id, {}}, request, session);

  session = sessions_.at_tuple(keyed, request.datagram.source, ssid);
  request.at_tuple = session != nullptr && session->id.owner == request.owner;
  if (request.at_tuple) return std::nullopt;
  // Behind a NAT that has re-bound, a packet without flow TLV is told by its key and SSID. Without a key an
  // SSID proves nothing: anybody may use it.
  session = keyed ? sessions_.newest(request.owner, ssid) : nullptr;
  if (session != nullptr) return std::nullopt;
  if (keyed && (request.wishes.flow || !request.integrity_ok)) return Outcome::unknown_session;
  return find_or_create(now, {request.owner, ssid, std::nullopt, request.datagram.source}, request, session);
}

ReflectorCore::Step ReflectorCore::find_or_create(const Now& now, const SessionId& id, const Request& request,
                                                  Session*& session) {
  session = sessions_.find(id);
  if (session != nullptr) return std::nullopt;
  if (!request.within_rate) return Outcome::rate_limited;
  const auto created = sessions_.create(id, now.mono);
  if (created.refusal == SessionTable::Refusal::table_full) return Outcome::table_full;
  if (created.refusal == SessionTable::Refusal::owner_full) return Outcome::key_table_full;
  session = created.session;
  ++sessions_started_;
  return std::nullopt;
}

ReflectorCore::Step ReflectorCore::receive(const Now& now, const Request& request, Session& session) {
  const auto sequence = request.packet.sequence;
  const bool foreign = !session.id.flow_id;
  auto arrival = session.window.record(sequence);
  if (arrival == SequenceWindow::Arrival::duplicate || arrival == SequenceWindow::Arrival::too_old) {
    const bool restarted = foreign && !request.owner.keyed && now.mono - session.last_seen >= kForeignRestart;
    if (!restarted) {
      ++session.received;
      ++session.refused;
      return Outcome::replayed;
    }
    session.received = session.refused = session.sent = 0;
    session.replied.reset();
    session.window = {};
    arrival = session.window.record(sequence);
  }
  ++session.received;
  sessions_.touch(session, now.mono);
  if (arrival == SequenceWindow::Arrival::newest) {
    if (!request.at_tuple) sessions_.record_endpoint(session, request.datagram.source);
    session.ttl = request.datagram.ttl;
  }
  if (!request.within_rate) {
    ++session.refused;
    return Outcome::rate_limited;
  }
  if (foreign && session.unproven < kForeignProof) {
    session.unproven = sequence == 0 ? kForeignProof : session.unproven + 1;
    if (session.unproven < kForeignProof) {
      ++session.refused;
      return Outcome::unknown_session;
    }
  }
  const auto& flow = request.wishes.flow;
  if (request.owner.keyed && request.integrity_ok && flow && flow->suppress) return Outcome::suppressed;
  return std::nullopt;
}

Reply ReflectorCore::answer(const Now& now, const Request& request, Session& session, Nanos held,
                            std::span<std::uint8_t> out) {
  ReplyFacts facts;
  facts.mode = request.mode;
  facts.base.sequence = static_cast<std::uint32_t>(session.sent++);
  facts.base.timestamp = stamp::NtpTime::from(now.wall);
  facts.base.error_estimate = error_estimate_;
  facts.base.ssid = request.packet.ssid;
  facts.base.receive_timestamp = stamp::NtpTime::from(request.datagram.received);
  facts.base.sender_sequence = request.packet.sequence;
  facts.base.sender_timestamp = request.packet.timestamp;
  facts.base.sender_error_estimate = request.packet.error_estimate;
  facts.base.sender_ttl = request.datagram.ttl;
  facts.counters.reflector_rx = static_cast<std::uint32_t>(session.received);
  facts.counters.reflector_tx = static_cast<std::uint32_t>(session.sent);
  facts.previous_reply = session.replied;
  session.replied = now.wall;
  facts.instance = instance_;
  facts.held = held;
  facts.secret = request.secret;
  facts.integrity_ok = request.integrity_ok;
  return write_reply(request.datagram, facts, out);
}

bool ReflectorCore::note_reply_error(Instant now, const IcmpAboutReply& error) {
  // Only keyed sessions can ask for it.
  const auto ssid = stamp::peek_ssid(error.reply, stamp::Mode::authenticated);
  const auto* session = ssid ? sessions_.at_tuple(true, error.destination, *ssid) : nullptr;
  if (session == nullptr) return false;
  const auto secret = keys_->find(session->id.owner.key_id, session->id.owner.gateway_id);
  if (!secret || !stamp::verify_base(error.reply, *secret)) return false;
  reply_errors_.note(now, session->id, error);
  return true;
}

stamp::FlowReport ReflectorCore::report(Instant now, const Owner& owner, std::uint64_t flow_id) const {
  stamp::FlowReport report;
  report.flow_id = flow_id;
  const auto* session = sessions_.find_flow(owner, flow_id);
  if (session == nullptr) return report;
  report.known = true;
  report.received = session->received;
  report.refused = session->refused;
  report.sent = session->sent;
  report.highest_sequence = session->window.highest();
  report.window = session->window.seen();
  report.endpoint = session->endpoint;
  report.ttl = session->ttl;
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - session->last_seen);
  report.last_ms_ago = static_cast<std::uint64_t>(std::max<std::int64_t>(age.count(), 0));
  if (owner.keyed) report.icmp = reply_errors_.find(now, owner, flow_id);
  return report;
}

}  // namespace ue::reflector
