#include "verdict/scope.h"

#include <fmt/format.h>

#include <algorithm>

#include "verdict/evidence.h"

namespace ue::verdict {

namespace {

bool within(const IpAddress& address, const char* network, unsigned length) {
  return in_prefix(address, *IpAddress::parse(network), length);
}

bool is_shared(const IpAddress& a) { return within(a, "100.64.0.0", 10); }

bool is_private(const IpAddress& a) {
  return within(a, "10.0.0.0", 8) || within(a, "172.16.0.0", 12) || within(a, "192.168.0.0", 16) ||
         within(a, "fc00::", 7) || a.is_link_local();
}

std::optional<unsigned> length(const Trail& t) {
  for (const auto* hops : {&t.usual, &t.now}) {
    if (*hops && (*hops)->length) return (*hops)->length;
  }
  return t.length;
}

std::optional<IpAddress> address_at(const Trail& t, unsigned hop) {
  if (t.usual && t.usual->at(hop)) return t.usual->at(hop);
  return t.now ? t.now->at(hop) : std::nullopt;
}

/// Whether a router so far away has been seen to answer: on this way in better days, or as far from the far
/// end on another uplink's.
bool answers_usually(const Trail& t, unsigned hop) {
  if (t.usual) return t.usual->at(hop).has_value();
  const auto own = length(t);
  if (!t.other || !t.other->length || !own || *own < hop || *t.other->length <= *own - hop) return false;
  return t.other->at(*t.other->length - (*own - hop)).has_value();
}

bool passed_by_another_uplink(const Trail& t, const IpAddress& router) {
  return t.other &&
         std::find(t.other->routers.begin(), t.other->routers.end(), router) != t.other->routers.end();
}

std::string hop_text(const Trail& t, unsigned hop) {
  const auto address = address_at(t, hop);
  return address ? fmt::format("hop {} ({})", hop, address->to_string()) : fmt::format("hop {}", hop);
}

std::string_view whose(Scope s) {
  switch (s) {
    case Scope::home:
      return ", the home router";
    case Scope::carrier:
      return ", the carrier's";
    case Scope::beyond:
      return ", beyond the carrier";
    default:
      return "";
  }
}

/// Between which hops the answers end, by the newest trace.
struct Boundary {
  unsigned last = 0;   ///< the farthest hop that answers; 0: none
  unsigned first = 0;  ///< the nearest one behind it that answers usually and is silent now; 0: none
};

std::optional<Boundary> boundary(const Trail& t) {
  if (!t.now) return std::nullopt;
  Boundary b;
  const auto tried = static_cast<unsigned>(t.now->routers.size());
  for (unsigned hop = 1; hop <= tried; ++hop) {
    if (t.now->at(hop)) b.last = hop;
  }
  for (unsigned hop = b.last + 1; hop <= tried && b.first == 0; ++hop) {
    if (answers_usually(t, hop)) b.first = hop;
  }
  return b;
}

/// The owner of all hops from `from` to `to`; unknown where they differ.
Scope common_owner(const Trail& t, unsigned from, unsigned to) {
  const auto scope = owner(t, from);
  for (unsigned hop = from + 1; hop <= to; ++hop) {
    if (owner(t, hop) != scope) return Scope::unknown;
  }
  return scope;
}

/// Answers end behind a hop: a NAT there no longer knows the flow, or nothing passes it.
Location at_boundary(const Trail& t, const Boundary& b, bool outage) {
  if (b.last == 0) {
    return {owner(t, 1), fmt::format("{} no longer answers, nor does anything behind it.",
                                     b.first == 1 ? hop_text(t, 1) + std::string(whose(owner(t, 1)))
                                                  : hop_text(t, b.first))};
  }
  const auto scope = common_owner(t, b.last, b.first - 1);
  const auto place = b.first - b.last > 1
                         ? fmt::format("between {} and {}", hop_text(t, b.last), hop_text(t, b.first - 1))
                         : fmt::format("{} {}", outage ? "behind" : "at", hop_text(t, b.last));
  return {scope, fmt::format("{} {}{}: it answers a trace, {} used to and does not.",
                             outage ? "Packets are lost" : "The flow is lost", place, whose(scope),
                             hop_text(t, b.first))};
}

/// A router between us and the far end, told by how many others the ICMP packet passed on its way there.
std::optional<unsigned> hop_of_reply_refusal(const Trail& t) {
  const auto whole = length(t);
  if (!t.reply_refused || t.reply_refused->ttl == 0 || !whole) return std::nullopt;
  const unsigned ttl = t.reply_refused->ttl;
  const unsigned passed = (ttl <= 64 ? 64U : ttl <= 128 ? 128U : 255U) - ttl;
  if (passed + 1 >= *whole) return std::nullopt;  // as far as this machine, or farther
  return *whole - 1 - passed;
}

std::optional<Location> by_reply_refusal(const Trail& t) {
  const auto hop = hop_of_reply_refusal(t);
  if (!hop) return std::nullopt;
  const auto scope = owner(t, *hop);
  return Location{scope,
                  fmt::format("Replies are refused at {}{}: the far end gets ICMP {} from {}, which came "
                              "with TTL {}.",
                              hop_text(t, *hop), whose(scope), t.reply_refused->kind,
                              t.reply_refused->offender.to_string(), t.reply_refused->ttl)};
}

std::optional<Location> by_probe_refusal(const Trail& t) {
  if (!t.probe_refused) return std::nullopt;
  const auto last = std::max(t.usual ? t.usual->routers.size() : 0, t.now ? t.now->routers.size() : 0);
  for (unsigned hop = 1; hop <= last; ++hop) {
    if (address_at(t, hop) != t.probe_refused->offender) continue;
    const auto scope = owner(t, hop);
    return Location{scope, fmt::format("Packets are refused at {}{}, with ICMP {}.", hop_text(t, hop),
                                       whose(scope), t.probe_refused->kind)};
  }
  return std::nullopt;
}

Location silent_flow(const Trail& t, bool outage) {
  if (const auto refused = by_probe_refusal(t)) return *refused;
  const auto b = boundary(t);
  if (b && b->first != 0) return at_boundary(t, *b, outage);
  if (const auto refused = by_reply_refusal(t)) return *refused;
  if (!b || b->last == 0) return {};
  // Without a trace of better days, all hops up to the far end must have answered this one.
  if (!t.usual && (!length(t) || b->last + 1 != *length(t))) return {};
  if (outage) {
    const auto scope = owner(t, b->last);
    return {scope == Scope::beyond ? scope : Scope::unknown,
            fmt::format("Every hop up to {}{} still answers a trace, only the far end does not.",
                        hop_text(t, b->last), whose(scope))};
  }
  // A firewall without translation may let routers' errors in by themselves, at home as at the carrier.
  if (t.own && !t.own->is_v4())
    return {Scope::unknown,
            "Every hop still answers a trace from the silent port: its replies are filtered on the way back, "
            "or never sent."};
  // A NAT that had forgotten the flow could not translate the answers of the hops behind it.
  const std::string known =
      "Every hop still answers a trace from the silent port, so no NAT has forgotten it";
  if (t.answered_elsewhere)
    return {Scope::carrier,
            known +
                ": its replies are filtered on the way back, and the far end's arrive through "
                "another uplink."};
  return {Scope::unknown, known + ": its replies are filtered on the way back, or never sent."};
}

/// Where packets of a tunnel's size end, by a trace of such packets.
Location oversized(const Trail& t) {
  const auto b = boundary(t);
  if (!b || !t.usual) return {};
  if (b->first == 0) {
    if (b->last == 0) return {};
    return {Scope::unknown,
            fmt::format("Large packets still reach {}: they are lost behind it, or on the way back.",
                        hop_text(t, b->last))};
  }
  const auto silent = fmt::format("{} answers small packets and no large ones", hop_text(t, b->first));
  if (b->last == 0)
    return {owner(t, 1),
            fmt::format("Large packets are lost on the way to {}: {}.", hop_text(t, b->first), silent)};
  const auto scope = common_owner(t, b->last, b->first - 1);
  const auto place = b->first - b->last > 1
                         ? fmt::format("between {} and {}", hop_text(t, b->last), hop_text(t, b->first - 1))
                         : fmt::format("behind {}", hop_text(t, b->last));
  return {scope, fmt::format("Large packets are lost {}{}: {}.", place, whose(scope), silent)};
}

Location forgetful(const Trail& t) {
  if (t.forgetful && *t.forgetful > 0) {
    const auto scope = owner(t, *t.forgetful);
    return {scope,
            fmt::format("The mapping is lost at {}{}: packets that end there keep it alive for {}, those "
                        "that end before do not.",
                        hop_text(t, *t.forgetful), whose(scope), format_duration(t.forgets_within))};
  }
  return by_reply_refusal(t).value_or(Location{});
}

}  // namespace

std::string_view scope_name(Scope s) {
  switch (s) {
    case Scope::gateway:
      return "gateway";
    case Scope::home:
      return "home";
    case Scope::carrier:
      return "carrier";
    case Scope::beyond:
      return "beyond";
    case Scope::unknown:
      break;
  }
  return "unknown";
}

Scope owner(const Trail& t, unsigned hop) {
  const auto router = address_at(t, hop);
  if (router && is_shared(*router)) return Scope::carrier;
  if (router && passed_by_another_uplink(t, *router)) return Scope::beyond;
  const bool v4 = (router && router->is_v4()) || (!router && t.own && t.own->is_v4());
  // Behind a private address of ours the first router is the home's; a carrier gives its own or a shared one.
  if (hop == 1 && t.own && v4) return is_private(*t.own) ? Scope::home : Scope::carrier;
  if (!router) return Scope::unknown;
  if (is_private(*router)) return Scope::unknown;  // a second router at home, or the carrier's inside
  const auto whole = length(t);
  if (hop > 1 && whole && hop + 1 == *whole) return Scope::beyond;
  // The first public address behind private ones is where the carrier begins, or its NAT ends.
  if (v4 && hop > 1) {
    const auto before = address_at(t, hop - 1);
    if (before && (is_private(*before) || is_shared(*before))) return Scope::carrier;
  }
  return Scope::unknown;
}

Location locate(Verdict verdict, const Trail& trail) {
  switch (verdict) {
    case Verdict::local_fault:
      return {Scope::gateway, ""};
    case Verdict::reflector_down:
      return {Scope::beyond, ""};
    case Verdict::down:
      return silent_flow(trail, true);
    case Verdict::udp_blocked:
    case Verdict::return_lost:
    case Verdict::one_way:
    case Verdict::stuck_mapping:
    case Verdict::new_flows_blocked:
    case Verdict::no_return:
      return silent_flow(trail, false);
    case Verdict::short_mapping:
      return forgetful(trail);
    case Verdict::mtu_blackhole:
      return oversized(trail);
    default:
      return {};
  }
}

}  // namespace ue::verdict
