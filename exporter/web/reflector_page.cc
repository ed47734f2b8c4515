#include "web/layout.h"
#include "web/status_page.h"

namespace ue::web {
namespace {

void add_counts(Html& page, Html::Markup title, const std::map<std::string, std::uint64_t>& counts) {
  if (counts.empty()) return;
  page.raw("<section><div class=\"head\">\n<h2>").raw(title).raw("</h2>\n<table>\n<tbody>\n");
  for (const auto& [outcome, n] : counts) {
    page.raw("<tr><th scope=\"row\">")
        .text(outcome)
        .raw("</th><td>")
        .text(std::to_string(n))
        .raw("</td></tr>\n");
  }
  page.raw("</tbody>\n</table>\n</div></section>\n");
}

}  // namespace

std::string reflector_page(const metrics::ReflectorSnapshot& s, std::string_view telemetry_path) {
  Html page;
  begin_page(page, "uplink_reflector", "uplink_reflector", s.published);
  const bool full = s.sessions_limit > 0 && s.sessions >= s.sessions_limit;
  page.raw("<section class=\"").raw(full ? Html::Markup("bad") : Html::Markup("good"));
  page.raw("\"><div class=\"head\">\n<h2>Sessions</h2>\n<p class=\"verdict\"><b>")
      .text(std::to_string(s.sessions));
  page.raw("</b></p>\n<p class=\"soft\">of at most ").text(std::to_string(s.sessions_limit)).raw(", ");
  page.text(std::to_string(s.sessions_started)).raw(" started so far.");
  if (full) page.raw(" New ones are turned away: raise <code>limits: max_sessions</code>.");
  page.raw("</p>\n</div></section>\n");
  add_counts(page, "Packets", s.packets);
  add_counts(page, "Replies held back", s.holds);
  add_counts(page, "Queries", s.queries);
  add_reload_fault(page, s.config_reload_ok, s.config_reload_time);
  end_page(page, s.build, s.published, telemetry_path);
  return page.take();
}

}  // namespace ue::web
