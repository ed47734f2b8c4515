#include "agent/path_evidence.h"

namespace ue::agent {

namespace {

using verdict::Tri;

Tri tri(const std::optional<bool>& b) { return b ? verdict::tri(*b) : Tri::unknown; }

verdict::Successors successors(probe::Successors s) {
  switch (s) {
    case probe::Successors::died:
      return verdict::Successors::died;
    case probe::Successors::outlived:
      return verdict::Successors::outlived;
    case probe::Successors::unknown:
      break;
  }
  return verdict::Successors::unknown;
}

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

/// no: it survives the keepalive's silence; yes: it does not, and that could not be chance.
Tri short_lived(const probe::MappingLifetime::Bracket& stream, Nanos keepalive) {
  if (stream.lower >= keepalive) return Tri::no;
  if (stream.no_chance() && *stream.upper <= keepalive) return Tri::yes;
  return Tri::unknown;
}

bool bound_is_own(const PathContext& c) {
  return c.stream && c.tracker_timeout && probe::is_own_bound(*c.stream, *c.tracker_timeout);
}

const std::string kNothing;

/// What this machine itself does to the path, as far as it does harm; empty: nothing.
const std::string& local_fault(const probe::Observation& o, const PathContext& c) {
  // A full table throws away new flows, and lets those go on that it has; refused packets follow from it.
  if (!c.tracker_full.empty() && (o.steady != true || o.fresh == false)) return c.tracker_full;
  // Who is answered is not kept from it by his own machine.
  if (o.steady != true) return c.local_fault;
  // A tracker that no rule heeds may forget what it likes: only what was measured counts.
  const auto keepalive = c.keepalive.value_or(kUsualKeepalive);
  const bool harms = bound_is_own(c) && short_lived(*c.stream, keepalive) == Tri::yes;
  return harms ? c.tracker_short : kNothing;
}

/// Another path of the uplink knows more about TCP than this one does.
bool told_beside(const probe::Observation& o, const PathContext& c) {
  return c.beside && !o.tcp && o.steady == false;
}

}  // namespace

verdict::Facts make_facts(const probe::Observation& o, const PathContext& c) {
  verdict::Facts facts;
  facts.link = c.link_up ? Tri::yes : c.link_settled ? Tri::no : Tri::unknown;
  if (!local_fault(o, c).empty()) facts.local = Tri::no;
  facts.forward = tri(o.forward);
  facts.steady = tri(o.steady);
  facts.fresh = tri(o.fresh);
  facts.tcp = tri(o.tcp);
  facts.attributable = tri(o.attributable);
  if (told_beside(o, c)) {
    facts.tcp = verdict::tri(c.beside->tcp);
    if (!c.beside->attributable) facts.attributable = Tri::no;
  }
  facts.reflector = c.silent_everywhere ? Tri::no : Tri::yes;
  facts.refused = c.proof.empty() ? Tri::unknown : Tri::yes;
  facts.successors = successors(o.successors);
  facts.lossy = tri(o.lossy);
  facts.size = tri(c.size);
  const auto keepalive = c.keepalive.value_or(kUsualKeepalive);
  if (c.stream && !bound_is_own(c)) facts.short_lived = short_lived(*c.stream, keepalive);
  return facts;
}

verdict::Evidence make_evidence(const probe::Observation& o, const PathContext& c) {
  verdict::Evidence e;
  e.facts = make_facts(o, c);
  auto& f = e.figures;
  f.local_fault = local_fault(o, c);
  f.uplink = c.uplink;
  f.reflector = told_beside(o, c) ? c.beside->reflector : c.reflector;
  // A direction's ratio is of what travelled in it.
  const auto& w = o.window;
  const auto attributed = w.answered + w.forward_lost + w.return_lost;
  f.forward_loss = ratio(w.forward_lost, attributed);
  f.return_loss = ratio(w.return_lost, w.answered + w.return_lost);
  f.unattributed_loss = ratio(w.unattributed, w.all());
  f.window_probes = w.all();
  f.losses_in_a_row = o.losses_in_a_row;
  f.losses_needed = o.losses_needed;
  f.delivered_unanswered = o.delivered_unanswered;
  f.dead_fresh_flows = o.dead_fresh_flows;
  f.dies_at_age = o.dies_at_age;
  f.outlived_age = o.outlived_age;
  f.rtt = o.rtt;
  f.keepalive = c.keepalive.value_or(kUsualKeepalive);
  f.keepalive_known = c.keepalive.has_value();
  if (c.stream) {
    f.survived_silence = c.stream->lower;
    f.fatal_silence = c.stream->upper;
  }
  f.tunnel_size = c.tunnel_size;
  f.passing_payload = c.passing_payload;
  f.link_fault = c.link_fault;
  f.bystanders = c.bystanders;
  f.bystanders_unreplied = c.bystanders_unreplied;
  f.proof = c.proof;
  f.query_fault = c.query_fault;
  f.complaint = c.complaint;
  f.answered_via_other_uplink = c.answered_via_other_uplink;
  f.every_uplink_silent = c.every_uplink_silent;
  f.witness_configured = c.witness_configured;
  e.trail = c.trail;
  return e;
}

bool silence_tells(bool before, probe::Standing standing, Tri steady) {
  if (standing != probe::Standing::fine || steady == Tri::no) return false;
  return steady == Tri::yes || before;
}

probe::Standing standing_for(verdict::Verdict v) {
  switch (v) {
    case verdict::Verdict::one_way:
    case verdict::Verdict::udp_blocked:
    case verdict::Verdict::no_return:
    case verdict::Verdict::down:
    case verdict::Verdict::reflector_down:
      return probe::Standing::no_return;
    case verdict::Verdict::return_lost:
    case verdict::Verdict::stuck_mapping:
    case verdict::Verdict::new_flows_blocked:
      return probe::Standing::trouble;
    default:
      return probe::Standing::fine;
  }
}

}  // namespace ue::agent
