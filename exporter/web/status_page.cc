#include "web/status_page.h"

#include <fmt/format.h>

#include <algorithm>

#include "web/html.h"
#include "web/layout.h"

namespace ue::web {
namespace {

using metrics::Path;
using metrics::Snapshot;
using metrics::Tunnel;
using metrics::Uplink;
using verdict::Verdict;

/// How a verdict looks. The sign is for those who do not see the colour.
struct Tone {
  Html::Markup css;
  Html::Markup sign;
};

Tone tone(Verdict v) {
  switch (v) {
    case Verdict::healthy:
      return {"good", "✔"};
    case Verdict::unknown:
      return {"dim", "…"};
    case Verdict::lossy:
    case Verdict::short_mapping:
    case Verdict::new_flows_blocked:
    case Verdict::mtu_blackhole:
      return {"warn", "▲"};
    default:
      return {"bad", "✖"};
  }
}

void add_verdict(Html& page, Verdict v) {
  const Tone t = tone(v);
  page.raw("<b class=\"").raw(t.css).raw("\">").raw(t.sign).raw(" ").text(verdict::name(v)).raw("</b>");
}

void add_check(Html& page, std::string_view what, const std::optional<bool>& ok) {
  if (!ok) return;
  page.raw(" · ").text(what);
  if (*ok) {
    page.raw(" yes");
  } else {
    page.raw(" <b class=\"bad\">no</b>");
  }
}

void add_path(Html& page, const Path& path, const Uplink& uplink) {
  page.raw("<tr><th scope=\"row\">").text(path.reflector);
  if (!path.mapped_endpoint.empty())
    page.raw("<br><span class=\"soft\">seen as ").text(path.mapped_endpoint).raw("</span>");
  page.raw("</th><td>");
  add_verdict(page, path.conclusion.verdict);
  if (path.conclusion.why != uplink.conclusion.why) page.raw("<br>").text(path.conclusion.why);

  const auto recent = path.recent.value_or(metrics::Recent{});
  const auto delivered = recent.answered + recent.return_lost;
  page.raw("</td><td data-of=\"Forward\">").text(format_ratio(delivered, delivered + recent.forward_lost));
  page.raw("</td><td data-of=\"Return\">").text(format_ratio(recent.answered, delivered));
  if (recent.unattributed > 0) {
    page.raw("<br><span class=\"soft\">")
        .text(std::to_string(recent.unattributed))
        .raw(" lost, direction unknown</span>");
  }
  page.raw("</td><td data-of=\"Round trip\">")
      .text(format_milliseconds(path.smoothed_rtt))
      .raw("</td></tr>\n");
}

std::string spaced(std::string text) {
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

void add_nat(Html& page, const metrics::Nat& nat) {
  if (nat.mapping == "unknown" && nat.filtering == "unknown" && nat.carrier_grade == "unknown") return;
  page.raw("<p class=\"soft\">NAT mapping: ").text(spaced(nat.mapping));
  page.raw(" · filtering: ").text(spaced(nat.filtering));
  page.raw(" · carrier-grade NAT: ").text(spaced(nat.carrier_grade)).raw("</p>\n");
}

void add_uplink(Html& page, const Uplink& uplink, double now) {
  const auto& conclusion = uplink.conclusion;
  page.raw("<section class=\"")
      .raw(tone(conclusion.verdict).css)
      .raw("\">\n<h2>")
      .text(uplink.name)
      .raw("</h2>\n");
  page.raw("<p class=\"verdict\">");
  add_verdict(page, conclusion.verdict);
  page.raw("</p>\n<p>").text(conclusion.why).raw("</p>\n<p class=\"soft\">");
  if (uplink.last_change) page.raw("Since ").text(format_since(*uplink.last_change, now)).raw(" · ");
  page.text(uplink.interface);
  if (!uplink.gateway.empty()) page.raw(" via ").text(uplink.gateway);
  if (uplink.scope != "unknown") page.raw(" · the fault lies at: ").text(uplink.scope);
  add_check(page, "link", uplink.link_up);
  if (uplink.default_route) {  // a second uplink may well have none
    page.raw(*uplink.default_route ? Html::Markup(" · default route yes")
                                   : Html::Markup(" · default route no"));
  }
  add_check(page, "gateway reachable", uplink.gateway_reachable);
  page.raw("</p>\n");
  add_nat(page, uplink.nat);
  for (const auto& [check, ok] : uplink.preflight) {
    if (!ok)
      page.raw("<p>Preflight check <b class=\"bad\">").text(check).raw(" fails</b> on this gateway.</p>\n");
  }
  if (!uplink.paths.empty()) {
    page.raw(
        "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Reflector</th><th "
        "scope=\"col\">Verdict</th>"
        "<th scope=\"col\">Forward</th><th scope=\"col\">Return</th><th scope=\"col\">Round "
        "trip</th></tr></thead>\n"
        "<tbody>\n");
    for (const auto& path : uplink.paths) add_path(page, *path, uplink);
    page.raw(
        "</tbody>\n</table></div>\n<p class=\"soft\">Delivered in each direction over the last two "
        "minutes.</p>\n");
  }
  page.raw("</section>\n");
}

void add_tunnel(Html& page, const Tunnel& tunnel, double now) {
  std::uint64_t reconnects = 0;
  for (const auto& [key, n] : tunnel.reconnects) reconnects += n;
  page.raw("<tr><th scope=\"row\">").text(tunnel.name).raw("</th><td><b class=\"");
  const bool connected = tunnel.state == "connected";
  page.raw(connected                   ? Html::Markup("good")
           : tunnel.state == "unknown" ? Html::Markup("dim")
                                       : Html::Markup("warn"));
  page.raw("\">").text(tunnel.state).raw("</b>");
  for (const auto& [source, up] : tunnel.sources) {
    if (!up) page.raw("<br><span class=\"soft\">cannot read its ").text(source).raw("</span>");
  }
  page.raw("</td><td data-of=\"Reconnects\">").text(std::to_string(reconnects));
  page.raw("</td><td data-of=\"Handshakes completed\">")
      .text(fmt::format("{} of {}", tunnel.handshakes_completed, tunnel.handshakes_started));
  page.raw("</td><td data-of=\"Last connected\">")
      .text(tunnel.last_connected ? format_since(*tunnel.last_connected, now) : "–");
  page.raw("</td></tr>\n");
}

void add_tunnels(Html& page, const Snapshot& s) {
  if (s.tunnels.empty()) return;
  page.raw(
      "<section>\n<h2>OpenVPN</h2>\n<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Tunnel</th>"
      "<th scope=\"col\">State</th><th scope=\"col\">Reconnects</th><th scope=\"col\">Handshakes "
      "completed</th>"
      "<th scope=\"col\">Last connected</th></tr></thead>\n<tbody>\n");
  for (const auto& tunnel : s.tunnels) add_tunnel(page, *tunnel, s.published);
  page.raw("</tbody>\n</table></div>\n</section>\n");
}

void add_faults(Html& page, const Snapshot& s) {
  if (!s.config_reload_ok) {
    page.raw(
        "<section class=\"warn\">\n<h2>Configuration</h2>\n<p><b>▲ The newest configuration was refused.</b> "
        "The one of ");
    page.text(format_time(s.config_reload_time)).raw(" stays in force; the log says why.</p>\n</section>\n");
  }
  const bool all_up =
      std::all_of(s.collectors.begin(), s.collectors.end(), [](const auto& c) { return c.up; });
  if (all_up) return;
  page.raw("<section class=\"warn\">\n<h2>Off</h2>\n");
  for (const auto& c : s.collectors) {
    if (!c.up) page.raw("<p><b>▲ ").text(c.name).raw("</b> ").text(c.remedy).raw("</p>\n");
  }
  page.raw("</section>\n");
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
  begin_page(page, title(s), "uplink_exporter");
  if (s.uplinks.empty()) {
    page.raw(
        "<section class=\"dim\">\n<h2>No uplink</h2>\n<p>No interface with a gatewayed global route was "
        "found, ");
    page.raw("and the configuration names none under <code>uplinks:</code>.</p>\n</section>\n");
  }
  for (const auto& uplink : s.uplinks) add_uplink(page, *uplink, s.published);
  add_tunnels(page, s);
  add_faults(page, s);
  end_page(page, s.build, s.published, telemetry_path);
  return page.take();
}

std::string starting_page(std::string_view program, std::string_view telemetry_path) {
  Html page;
  begin_page(page, program, program);
  page.raw(
      "<section class=\"dim\">\n<p class=\"verdict\"><b>… starting</b></p>\n<p>Nothing is known "
      "yet.</p>\n</section>\n");
  end_page(page, {}, 0, telemetry_path);
  return page.take();
}

}  // namespace ue::web
