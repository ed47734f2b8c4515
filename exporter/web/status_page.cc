#include "web/status_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "web/layout.h"
#include "web/tone.h"
#include "web/uplink_section.h"

namespace ue::web {
namespace {

using metrics::Snapshot;
using metrics::Tunnel;
using verdict::Verdict;

/// At a glance, before anything else.
void add_summary(Html& page, const Snapshot& s) {
  if (s.uplinks.empty()) {
    page.raw(
        "<section class=\"dim\"><div class=\"head\">\n<h2>No uplink</h2>\n<p>No interface with a gatewayed "
        "global "
        "route was found, and the configuration names none under "
        "<code>uplinks:</code>.</p>\n</div></section>\n");
    return;
  }
  page.raw("<p class=\"soft\">");
  bool first = true;
  for (const auto& uplink : s.uplinks) {
    if (!first) page.raw(" &nbsp; ");
    first = false;
    page.raw("<a href=\"#uplink-").text(uplink->name).raw("\">").text(uplink->name).raw("</a> ");
    add_verdict(page, uplink->conclusion.verdict);
  }
  page.raw("</p>\n");
}

Html::Markup state_tone(std::string_view state) {
  if (state == "connected") return "good";
  return state == "unknown" ? Html::Markup("dim") : Html::Markup("warn");
}

Html::Markup diagnosis_tone(std::string_view diagnosis) {
  if (diagnosis == "healthy") return "good";
  return diagnosis == "unknown" ? Html::Markup("dim") : Html::Markup("bad");
}

void add_tunnel(Html& page, const Tunnel& tunnel, double now) {
  std::uint64_t reconnects = 0;
  std::map<std::string_view, std::uint64_t> by_reason;
  for (const auto& [key, n] : tunnel.reconnects) {
    reconnects += n;
    if (n > 0) by_reason[key.first] += n;
  }
  page.raw("<tr><th scope=\"row\">").text(tunnel.name).raw("</th><td data-of=\"State\"><b class=\"");
  page.raw(state_tone(tunnel.state)).raw("\">").text(tunnel.state).raw("</b>");
  for (const auto& [source, up] : tunnel.sources) {
    if (!up) page.raw("<br><span class=\"soft\">cannot read its ").text(source).raw("</span>");
  }
  page.raw("</td><td data-of=\"Diagnosis\"><b class=\"").raw(diagnosis_tone(tunnel.diagnosis)).raw("\">");
  page.text(tunnel.diagnosis).raw("</b></td><td data-of=\"Reconnects\">").text(std::to_string(reconnects));
  for (const auto& [reason, n] : by_reason)
    page.raw("<br><span class=\"soft\">").text(fmt::format("{} × {}", n, reason)).raw("</span>");
  page.raw("</td><td data-of=\"Handshakes\">");
  page.text(fmt::format("{} of {} completed", tunnel.handshakes_completed, tunnel.handshakes_started));
  page.raw("</td><td data-of=\"Keepalive\">");
  if (tunnel.keepalive_ping) {
    page.text(format_seconds(*tunnel.keepalive_ping));
    if (tunnel.keepalive_restart)
      page.raw(", restart after ").text(format_seconds(*tunnel.keepalive_restart));
  } else {
    page.raw("–");
  }
  page.raw("</td><td data-of=\"Last connected\">");
  if (tunnel.last_connected) {
    add_since(page, *tunnel.last_connected, now);
  } else {
    page.raw("–");
  }
  if (tunnel.connected_clients)
    page.raw("<br><span class=\"soft\">")
        .text(std::to_string(*tunnel.connected_clients))
        .raw(" clients now</span>");
  page.raw("</td></tr>\n");
  if (!tunnel.routes_fault.empty()) {
    page.raw("<tr><td colspan=\"7\"><b class=\"bad\">✖ black hole</b> ").text(tunnel.routes_fault);
    page.raw(".</td></tr>\n");
  }
}

void add_tunnels(Html& page, const Snapshot& s) {
  if (s.tunnels.empty()) return;
  page.raw(
      "<section><div class=\"head\">\n<h2>OpenVPN</h2>\n<table class=\"cards\">\n<thead><tr><th "
      "scope=\"col\">Tunnel</th><th scope=\"col\">State</th><th scope=\"col\">Diagnosis</th><th "
      "scope=\"col\">Reconnects</th><th scope=\"col\">Handshakes</th><th scope=\"col\">Keepalive</th><th "
      "scope=\"col\">Last connected</th></tr></thead>\n<tbody>\n");
  for (const auto& tunnel : s.tunnels) add_tunnel(page, *tunnel, s.published);
  page.raw("</tbody>\n</table>\n</div></section>\n");
}

void add_route(Html& page, const metrics::Route& route) {
  page.raw("<tr><th scope=\"row\">").text(route.destination).raw("</th><td data-of=\"Leaves through\">");
  if (route.match) {
    page.raw(*route.match ? Html::Markup("<b class=\"good\">✔</b> ")
                          : Html::Markup("<b class=\"bad\">✖</b> "));
  }
  page.text(route.uplink.empty() ? (route.interface.empty() ? "–" : route.interface) : route.uplink);
  if (!route.gateway.empty()) page.raw(" via ").text(route.gateway);
  page.raw("</td><td data-of=\"Should\">").text(route.expected.empty() ? "–" : route.expected);
  page.raw("</td><td data-of=\"Changes\">").text(std::to_string(route.changes));
  page.raw("</td><td data-of=\"Why\">").text(route.reason).raw("</td></tr>\n");
}

void add_routes(Html& page, const Snapshot& s) {
  if (s.routes.empty()) return;
  page.raw(
      "<section><div class=\"head\">\n<h2>Routes</h2>\n<table class=\"cards\">\n<thead><tr><th "
      "scope=\"col\">Destination</th><th scope=\"col\">Leaves through</th><th scope=\"col\">Should</th><th "
      "scope=\"col\">Changes</th><th scope=\"col\">Why</th></tr></thead>\n<tbody>\n");
  for (const auto& route : s.routes) add_route(page, route);
  page.raw("</tbody>\n</table>\n</div></section>\n");
}

void add_off(Html& page, const Snapshot& s, bool optional) {
  const auto is_off = [&](const auto& c) { return !c.up && c.optional == optional; };
  if (std::none_of(s.collectors.begin(), s.collectors.end(), is_off)) return;
  if (optional) {
    page.raw("<section class=\"dim\"><div class=\"head\">\n<h2>Could be on</h2>\n");
  } else {
    page.raw("<section class=\"warn\"><div class=\"head\">\n<h2>Off</h2>\n");
  }
  for (const auto& c : s.collectors) {
    if (!is_off(c)) continue;
    page.raw("<p><b>").raw(optional ? Html::Markup("") : Html::Markup("▲ ")).text(c.name).raw("</b> ");
    page.text(c.remedy).raw("</p>\n");
  }
  page.raw("</div></section>\n");
}

/// What the browser's tab says: the first uplink in trouble, or that there is none.
std::string title(const Snapshot& s) {
  for (const auto& uplink : s.uplinks) {
    if (uplink->conclusion.verdict != Verdict::healthy) {
      return fmt::format("{} {} – uplink_exporter", uplink->name, verdict::name(uplink->conclusion.verdict));
    }
  }
  return s.uplinks.empty() ? "uplink_exporter" : "all healthy – uplink_exporter";
}

}  // namespace

std::string status_page(const Snapshot& s, std::string_view telemetry_path) {
  Html page;
  begin_page(page, title(s), "uplink_exporter", s.published);
  add_summary(page, s);
  add_reload_fault(page, s.config_reload_ok, s.config_reload_time);
  for (const auto& uplink : s.uplinks) add_uplink(page, s, *uplink);
  add_tunnels(page, s);
  add_routes(page, s);
  add_off(page, s, false);
  add_off(page, s, true);
  end_page(page, s.build, s.published, telemetry_path);
  return page.take();
}

std::string starting_page(std::string_view program, std::string_view telemetry_path) {
  Html page;
  begin_page(page, program, program, 0);
  page.raw(
      "<section class=\"dim\"><div class=\"head\">\n<p class=\"verdict\"><b>… starting</b></p>\n<p>Nothing "
      "is known "
      "yet.</p>\n</div></section>\n");
  end_page(page, {}, 0, telemetry_path);
  return page.take();
}

}  // namespace ue::web
