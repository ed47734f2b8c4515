#include "reflector/query_desk.h"

#include <fmt/format.h>

namespace ue::reflector {

std::string_view name(QueryOutcome outcome) {
  static constexpr std::array<std::string_view, kQueryOutcomes> kNames{
      "answered",  "bad_request", "unauthorized", "rate_limited",
      "not_found", "too_large",   "timed_out",    "refused"};
  return kNames[static_cast<std::size_t>(outcome)];
}

QueryDesk::QueryDesk(Cores& cores) : cores_(cores), limiter_(kRate, kBurst, 4'096) {}

namespace {

/// A flow that changed its SSID may have left a session in another shard: the one with the newest packet
/// counts.
void take_later(stamp::FlowReport& flow, const stamp::FlowReport& other) {
  const bool later = other.known && (!flow.known || other.last_ms_ago < flow.last_ms_ago);
  const auto icmp =
      other.icmp && (!flow.icmp || other.icmp->ms_ago < flow.icmp->ms_ago) ? other.icmp : flow.icmp;
  if (later) flow = other;
  flow.icmp = icmp;
}

}  // namespace

QueryReply QueryDesk::answer(const Now& now, std::string_view body, std::string_view authentication,
                             const IpAddress& peer) {
  if (!limiter_.allow(now.mono, peer)) return refuse(429, QueryOutcome::rate_limited, "too many queries");
  const auto request = stamp::parse_request(body);
  if (!request) return refuse(400, QueryOutcome::bad_request, request.error());

  stamp::QueryAnswer answer;
  answer.nonce = request->nonce;
  bool unauthenticated_allowed = false;
  Owner owner;
  std::optional<config::Secret> secret;
  cores_.with(0, [&](ReflectorCore& core) {
    answer.instance_id = core.instance().id;
    answer.boot_epoch = core.instance().boot_epoch;
    unauthenticated_allowed = core.allow_unauthenticated();
    if (!request->key_id) return;
    owner = {true, *request->key_id, *request->gateway_id};
    secret = core.keys().find(owner.key_id, owner.gateway_id);
  });
  if (request->key_id) {
    // One answer for both, so that nobody learns which ids exist.
    if (!secret || !stamp::verify_request(body, authentication, *secret)) {
      return refuse(401, QueryOutcome::unauthorized, "unknown key or wrong signature");
    }
  } else if (!unauthenticated_allowed) {
    return refuse(401, QueryOutcome::unauthorized, "a key is needed");
  }
  for (const auto flow : request->flows) {
    answer.flows.emplace_back();
    answer.flows.back().flow_id = flow;
  }
  for (std::size_t shard = 0; shard < cores_.count(); ++shard) {
    cores_.with(shard, [&](ReflectorCore& core) {
      if (owner.keyed) core.validate(now.mono, owner, peer);
      for (auto& flow : answer.flows) take_later(flow, core.report(now.mono, owner, flow.flow_id));
    });
  }
  ++outcomes_[static_cast<std::size_t>(QueryOutcome::answered)];
  QueryReply reply{200, stamp::encode(answer), {}};
  if (secret) reply.authentication = stamp::sign_answer(reply.body, *secret);
  return reply;
}

QueryReply QueryDesk::refuse(unsigned status, QueryOutcome outcome, std::string_view why) {
  ++outcomes_[static_cast<std::size_t>(outcome)];
  return {status, fmt::format(R"({{"error":"{}"}})", why), {}};
}

}  // namespace ue::reflector
