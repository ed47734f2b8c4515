#include "agent/trail.h"

#include <fmt/format.h>

#include "uplink/socket_error.h"

namespace ue::agent {

namespace {

using Kind = probe::Localiser::Task::Kind;

Kind kind_of(verdict::Verdict v, const verdict::Facts& facts) {
  using verdict::Tri;
  using verdict::Verdict;
  switch (v) {
    case Verdict::return_lost:
    case Verdict::one_way:
    case Verdict::stuck_mapping:
    case Verdict::no_return:
    case Verdict::udp_blocked:
    case Verdict::down:
      return facts.link == Tri::no ? Kind::none : Kind::silent;
    case Verdict::new_flows_blocked:
      return Kind::fresh;
    case Verdict::local_fault:
    case Verdict::reflector_down:
      return Kind::none;
    case Verdict::short_mapping:
      return Kind::lifetime;
    case Verdict::mtu_blackhole:
      return Kind::large;
    default:
      return facts.steady == Tri::yes ? Kind::usual : Kind::none;
  }
}

std::optional<verdict::Trail::Refusal> refusal(const std::optional<probe::Localiser::Refused>& r,
                                               Family family) {
  if (!r) return std::nullopt;
  uplink::IcmpError error;
  error.family = family;
  error.type = r->type;
  error.code = r->code;
  return verdict::Trail::Refusal{r->offender, std::string(uplink::icmp_name(error)), r->ttl};
}

}  // namespace

probe::Localiser::Task localiser_task(const verdict::Conclusion& conclusion, const verdict::Facts& facts,
                                      std::optional<probe::FlowHandle> silent,
                                      const std::optional<probe::MappingLifetime::Bracket>& stream,
                                      bool eager) {
  probe::Localiser::Task task;
  task.kind = kind_of(conclusion.verdict, facts);
  if (task.kind == Kind::silent && !silent) task.kind = Kind::fresh;
  if (task.kind == Kind::silent) task.flow = *silent;
  const bool known = stream && stream->upper;
  if (task.kind == Kind::usual && eager && known) task.kind = Kind::lifetime;
  if (task.kind == Kind::lifetime && !known) task.kind = Kind::usual;
  if (task.kind == Kind::lifetime) task.stream = *stream;
  return task;
}

std::string to_text(const Hops& hops) {
  std::string text;
  for (const auto& router : hops.routers) text += (router ? router->to_string() : "silent") + ", ";
  return hops.length ? fmt::format("{}far end at hop {}", text, *hops.length) : text + "far end not reached";
}

verdict::Trail make_trail(const probe::Localiser::Findings& findings, Family family) {
  verdict::Trail trail;
  trail.usual = findings.usual;
  trail.now = findings.now;
  trail.length = findings.length;
  trail.forgetful = findings.forgetful;
  trail.forgets_within = findings.forgets_within;
  trail.probe_refused = refusal(findings.probe_refused, family);
  trail.reply_refused = refusal(findings.reply_refused, family);
  return trail;
}

}  // namespace ue::agent
