#include "reflector/query_desk.h"

#include <fmt/format.h>

namespace ue::reflector {

std::string_view name(QueryOutcome outcome) {
  static constexpr std::array<std::string_view, kQueryOutcomes> kNames{
      "answered",  "bad_request", "unauthorized", "rate_limited",
      "not_found", "too_large",   "timed_out",    "refused"};
  return kNames[static_cast<std::size_t>(outcome)];
}

QueryDesk::QueryDesk(ReflectorCore& core) : core_(core), limiter_(kRate, kBurst, 4'096) {}

QueryReply QueryDesk::answer(const Now& now, std::string_view body, std::string_view authentication,
                             const IpAddress& peer) {
  if (!limiter_.allow(now.mono, peer)) return refuse(429, QueryOutcome::rate_limited, "too many queries");
  const auto request = stamp::parse_request(body);
  if (!request) return refuse(400, QueryOutcome::bad_request, request.error());

  Owner owner;
  std::optional<config::Secret> secret;
  if (request->key_id) {
    owner = {true, *request->key_id, *request->gateway_id};
    secret = core_.keys().find(owner.key_id, owner.gateway_id);
    // One answer for both, so that nobody learns which ids exist.
    if (!secret || !stamp::verify_request(body, authentication, *secret)) {
      return refuse(401, QueryOutcome::unauthorized, "unknown key or wrong signature");
    }
    core_.validate(now.mono, owner, peer);
  } else if (!core_.allow_unauthenticated()) {
    return refuse(401, QueryOutcome::unauthorized, "a key is needed");
  }

  stamp::QueryAnswer answer;
  answer.nonce = request->nonce;
  answer.instance_id = core_.instance().id;
  answer.boot_epoch = core_.instance().boot_epoch;
  for (const auto flow : request->flows) answer.flows.push_back(core_.report(now.mono, owner, flow));
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
