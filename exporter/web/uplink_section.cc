#include "web/uplink_section.h"

#include <fmt/format.h>

#include <algorithm>

#include "web/charts.h"
#include "web/layout.h"
#include "web/tone.h"

namespace ue::web {
namespace {

using metrics::Path;
using metrics::Snapshot;
using metrics::Uplink;

std::string spaced(std::string text) {
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

void add_check(Html& page, std::string_view what, const std::optional<bool>& ok) {
  if (!ok) return;
  page.raw(" · ").text(what);
  page.raw(*ok ? Html::Markup(" yes") : Html::Markup(" <b class=\"bad\">no</b>"));
}

/// A sentence that is told elsewhere is left out of those that it stands among.
std::string without(std::string sentences, const std::string& told) {
  const auto at = told.empty() ? std::string::npos : sentences.find(" " + told);
  return at == std::string::npos ? sentences : sentences.erase(at, told.size() + 1);
}

std::string_view scope_text(std::string_view scope) {
  if (scope == "gateway") return "in this gateway";
  if (scope == "home") return "in the router at home";
  if (scope == "carrier") return "at the carrier";
  if (scope == "beyond") return "beyond the carrier";
  return {};
}

/// Whose fault it is, and the hop and the evidence that tell.
void add_place(Html& page, const Uplink& uplink) {
  const auto whose = scope_text(uplink.scope);
  const auto& where = uplink.conclusion.where;
  if (whose.empty() && where.empty()) return;
  page.raw("<p class=\"where\">");
  if (!whose.empty()) page.raw("The fault lies <b>").text(whose).raw("</b>. ");
  page.text(where).raw("</p>\n");
}

void add_head(Html& page, const Uplink& uplink, double now) {
  const auto& conclusion = uplink.conclusion;
  page.raw("<div class=\"head\">\n<div class=\"top\"><h2>")
      .text(uplink.name)
      .raw("</h2><span class=\"soft\">");
  page.text(uplink.interface);
  if (!uplink.gateway.empty()) page.raw(" via ").text(uplink.gateway);
  for (const auto& [name, value] : uplink.labels) page.raw(" · ").text(name).raw(" ").text(value);
  page.raw("</span></div>\n<p class=\"verdict\">");
  add_verdict(page, conclusion.verdict);
  page.raw("</p>\n<p class=\"why\">").text(without(conclusion.why, conclusion.where)).raw("</p>\n");
  add_place(page, uplink);
  if (uplink.last_change) {
    page.raw("<p class=\"soft\">Since ");
    add_since(page, *uplink.last_change, now);
    page.raw("</p>\n");
  }
  for (const auto& [check, ok] : uplink.preflight) {
    if (!ok)
      page.raw("<p>Preflight check <b class=\"bad\">").text(check).raw(" fails</b> on this gateway.</p>\n");
  }
  page.raw("</div>\n");
}

void add_fact(Html& page, Html::Markup what, std::string_view value) {
  if (!value.empty()) page.raw("<dt>").raw(what).raw("</dt><dd>").text(value).raw("</dd>\n");
}

std::string known(const std::string& value) { return value == "unknown" ? "" : spaced(value); }

void add_facts(Html& page, const Uplink& uplink) {
  Html facts;
  for (const auto& path : uplink.paths) {
    if (path->mapped_endpoint.empty()) continue;
    add_fact(facts, "Seen as", path->mapped_endpoint);
    const auto ports = path->mapped_port_changes;
    const auto addresses = path->mapped_address_changes;
    if (ports + addresses > 0)
      add_fact(facts, "Re-bound", fmt::format("port {} times, address {} times", ports, addresses));
    break;
  }
  add_fact(facts, "NAT mapping", known(uplink.nat.mapping));
  add_fact(facts, "NAT filtering", known(uplink.nat.filtering));
  add_fact(facts, "Carrier-grade NAT", known(uplink.nat.carrier_grade));
  page.raw("<div class=\"wide\"><h3>This side</h3><p class=\"soft\">").text(uplink.interface);
  add_check(page, "link", uplink.link_up);
  if (uplink.default_route) {  // a second uplink may well have none
    page.raw(*uplink.default_route ? Html::Markup(" · default route yes")
                                   : Html::Markup(" · default route no"));
  }
  add_check(page, "gateway reachable", uplink.gateway_reachable);
  page.raw("</p>");
  if (!facts.empty()) page.raw("\n<dl>\n").append(facts).raw("</dl>");
  page.raw("</div>\n");
}

const metrics::PathPast* past_of(const Snapshot& s, const Path& path) {
  if (!s.past) return nullptr;
  const auto found = s.past->paths.find({path.uplink, path.reflector});
  return found == s.past->paths.end() ? nullptr : &found->second;
}

/// What the most demanding tunnel needs.
std::optional<double> keepalive(const Snapshot& s) {
  std::optional<double> longest;
  for (const auto& tunnel : s.tunnels) {
    if (tunnel->keepalive_ping) longest = std::max(longest.value_or(0), *tunnel->keepalive_ping);
  }
  return longest;
}

/// A long round trip keeps some in flight.
constexpr std::uint64_t kUsuallyOpen = 4;

std::uint64_t still_open(const Path& path) {
  std::uint64_t open = 0;
  for (const auto* c : {&path.steady, &path.fresh}) {
    const auto settled = c->replies + c->forward_lost + c->return_lost + c->unattributed_lost;
    if (c->sent > settled) open += c->sent - settled;
  }
  return open;
}

void add_path(Html& page, const Snapshot& s, const Path& path, const Uplink& uplink) {
  const auto* past = past_of(s, path);
  if (uplink.paths.size() > 1 || path.conclusion.why != uplink.conclusion.why) {
    page.raw("<div class=\"wide\"><h3>Towards ").text(path.reflector).raw("</h3><p>");
    add_verdict(page, path.conclusion.verdict);
    page.raw(" ").text(path.conclusion.why).raw("</p></div>\n");
  }
  const auto open = still_open(path);
  const bool many = open > kUsuallyOpen;
  add_minutes(page, path, past, many ? open : 0);
  page.raw("<p class=\"soft wide\">Ten minutes, by when probes were sent; the figures are of the last two.");
  if (many) {
    page.raw(" <b class=\"bad\">").text(std::to_string(open));
    page.raw(
        " have had no reply yet</b> (grey), and which way they were lost is being asked: the figures reach from all "
        "of them lost to none.");
  }
  const auto unattributed = path.recent ? path.recent->unattributed : 0;
  if (unattributed > 0)
    page.raw(" ").text(std::to_string(unattributed)).raw(" lost, direction unknown (amber).");
  page.raw("</p>\n");
  add_ladder(page, path, past, keepalive(s));
}

}  // namespace

void add_uplink(Html& page, const Snapshot& s, const Uplink& uplink) {
  page.raw("<section class=\"").raw(tone(uplink.conclusion.verdict).css).raw("\" id=\"uplink-");
  page.text(uplink.name).raw("\">\n");
  add_head(page, uplink, s.published);
  page.raw("<div class=\"body\">\n");
  for (const auto& path : uplink.paths) add_path(page, s, *path, uplink);
  const auto changes = s.past ? s.past->changes.find(uplink.name) : decltype(s.past->changes.end()){};
  if (s.past && changes != s.past->changes.end()) {
    add_hours(page, *s.past, changes->second, uplink.paths.empty() ? nullptr : past_of(s, *uplink.paths[0]),
              s.published);
  }
  add_facts(page, uplink);
  page.raw("</div>\n</section>\n");
}

}  // namespace ue::web
