#include "agent/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "verdict/advice.h"

namespace ue::agent {

namespace {

using Json = nlohmann::ordered_json;

/// The path that the uplink's own figures are taken from: the one that its verdict came from, if any.
const metrics::Path* telling_path(const metrics::Uplink& u) {
  const auto p = std::find_if(u.paths.begin(), u.paths.end(), [&](const auto& path) {
    return path->conclusion.verdict == u.conclusion.verdict;
  });
  if (p != u.paths.end()) return p->get();
  return u.paths.empty() ? nullptr : u.paths.front().get();
}

/// The first path that has one: lifetimes and the mapped address are the NAT's, not the reflector's.
template <typename Get>
auto first_of(const metrics::Uplink& u, Get get) -> decltype(get(*u.paths.front())) {
  for (const auto& p : u.paths) {
    if (auto found = get(*p); !found.empty()) return found;
  }
  return {};
}

std::string mapped(const metrics::Uplink& u) {
  return first_of(u, [](const metrics::Path& p) { return p.mapped_endpoint; });
}

std::map<std::string, metrics::MappingLifetime> lifetimes(const metrics::Uplink& u) {
  return first_of(u, [](const metrics::Path& p) {
    auto all = p.lifetimes;
    std::erase_if(all, [](const auto& l) { return !l.second.lower; });
    return all;
  });
}

std::string bracket(const metrics::MappingLifetime& l) {
  return l.upper ? fmt::format("{:g} s survived, {:g} s not", *l.lower, *l.upper)
                 : fmt::format("{:g} s survived, no longer silence was tried", *l.lower);
}

std::string words(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

void line(std::string& out, std::string_view title, const std::string& text) {
  if (!text.empty()) out += fmt::format("  {:<11} {}\n", title, text);
}

std::string failing_checks(const metrics::Uplink& u) {
  std::string text;
  for (const auto& [check, ok] : u.preflight) {
    if (!ok) text += (text.empty() ? "" : ", ") + check;
  }
  return text;
}

std::string text_of(const metrics::Uplink& u) {
  auto out = fmt::format("{} ({}{}): {}\n", u.name, u.interface, u.gateway.empty() ? "" : " via " + u.gateway,
                         verdict::name(u.conclusion.verdict));
  line(out, "why", u.conclusion.why);
  line(out, "whose fault", u.scope);
  for (const auto& [pattern, l] : lifetimes(u))
    line(out, "silence", fmt::format("{} ({})", bracket(l), pattern));
  line(out, "seen as", mapped(u).empty() ? "unknown" : mapped(u));
  line(out, "NAT",
       fmt::format("mapping {}, filtering {}, carrier-grade {}", words(u.nat.mapping), words(u.nat.filtering),
                   u.nat.carrier_grade));
  const auto* path = telling_path(u);
  if (path != nullptr && path->smoothed_rtt)
    line(out, "round trip", fmt::format("{:.1f} ms to {}", *path->smoothed_rtt * 1e3, path->reflector));
  line(out, "fails here", failing_checks(u));
  for (const auto& p : u.paths) {
    if (u.paths.size() > 1)
      line(out, "to " + p->reflector, std::string(verdict::name(p->conclusion.verdict)));
  }
  line(out, "what to do", std::string(verdict::advice(u.conclusion.verdict)));
  return out;
}

Json or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }
Json or_null(const std::optional<double>& number) { return number ? Json(*number) : Json(); }

Json json_of(const metrics::Path& p) {
  return {{"reflector", p.reflector},
          {"verdict", verdict::name(p.conclusion.verdict)},
          {"why", p.conclusion.why},
          {"scope", verdict::scope_name(p.conclusion.scope)},
          {"mapped_endpoint", or_null(p.mapped_endpoint)},
          {"round_trip_seconds", or_null(p.smoothed_rtt)},
          {"sent", p.steady.sent + p.fresh.sent},
          {"received", p.steady.replies + p.fresh.replies},
          {"forward_lost", p.steady.forward_lost + p.fresh.forward_lost},
          {"return_lost", p.steady.return_lost + p.fresh.return_lost}};
}

Json json_of(const metrics::Uplink& u) {
  const auto* path = telling_path(u);
  Json out{
      {"name", u.name},
      {"interface", u.interface},
      {"gateway", or_null(u.gateway)},
      {"verdict", verdict::name(u.conclusion.verdict)},
      {"why", u.conclusion.why},
      {"scope", u.scope},
      {"advice", or_null(std::string(verdict::advice(u.conclusion.verdict)))},
      {"mapped_endpoint", or_null(mapped(u))},
      {"nat",
       {{"mapping", u.nat.mapping}, {"filtering", u.nat.filtering}, {"carrier_grade", u.nat.carrier_grade}}},
      {"round_trip_seconds", or_null(path != nullptr ? path->smoothed_rtt : std::nullopt)},
      {"lifetimes", Json::object()},
      {"local_faults", Json::array()},
      {"paths", Json::array()}};
  for (const auto& [pattern, l] : lifetimes(u))
    out["lifetimes"][pattern] = {{"lower_seconds", or_null(l.lower)}, {"upper_seconds", or_null(l.upper)}};
  for (const auto& [check, ok] : u.preflight) {
    if (!ok) out["local_faults"].push_back(check);
  }
  for (const auto& p : u.paths) out["paths"].push_back(json_of(*p));
  return out;
}

/// From least to most bad.
int rank(Grade g) { return g == Grade::unknown ? 2 : g == Grade::broken ? 3 : static_cast<int>(g); }

/// Sources that are off for another reason than a missing privilege.
bool is_fault(const metrics::Collector& c) { return !c.up && !c.optional; }

}  // namespace

Grade grade(verdict::Verdict v) {
  using verdict::Verdict;
  switch (v) {
    case Verdict::healthy:
      return Grade::healthy;
    case Verdict::unknown:
      return Grade::unknown;
    case Verdict::lossy:
    case Verdict::short_mapping:
    case Verdict::mtu_blackhole:
    case Verdict::stuck_mapping:
    case Verdict::new_flows_blocked:
      return Grade::impaired;
    default:
      return Grade::broken;
  }
}

Grade worst(const metrics::Snapshot& snapshot) {
  if (snapshot.uplinks.empty()) return Grade::unknown;
  Grade g = Grade::healthy;
  for (const auto& u : snapshot.uplinks) {
    if (rank(grade(u->conclusion.verdict)) > rank(g)) g = grade(u->conclusion.verdict);
  }
  return g;
}

std::string report_text(const metrics::Snapshot& snapshot) {
  std::string out;
  for (const auto& u : snapshot.uplinks) out += (out.empty() ? "" : "\n") + text_of(*u);
  if (snapshot.uplinks.empty())
    out =
        "No uplink was found: no interface has a default route through a gateway. Name them in `uplinks:`.\n";
  for (const auto& c : snapshot.collectors) {
    if (is_fault(c)) out += fmt::format("\n{} is off: {}\n", c.name, c.remedy);
  }
  return out;
}

std::string report_json(const metrics::Snapshot& snapshot) {
  Json out{{"schema", 1},
           {"version", snapshot.build.version},
           {"exit_code", static_cast<int>(worst(snapshot))},
           {"uplinks", Json::array()},
           {"faults", Json::array()}};
  for (const auto& u : snapshot.uplinks) out["uplinks"].push_back(json_of(*u));
  for (const auto& c : snapshot.collectors) {
    if (is_fault(c)) out["faults"].push_back({{"source", c.name}, {"why", c.remedy}});
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string progress_text(const metrics::Snapshot& snapshot) {
  std::string text;
  for (const auto& u : snapshot.uplinks)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", u->name, verdict::name(u->conclusion.verdict));
  return text.empty() ? "no uplink" : text;
}

}  // namespace ue::agent
