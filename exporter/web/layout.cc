#include "web/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/time.h"

namespace ue::web {
namespace {

constexpr Html::Markup kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<noscript><meta http-equiv="refresh" content="5"></noscript>
<link rel="stylesheet" href="/static/page.css">
<link rel="icon" href="/static/icon.svg">
<script src="/static/page.js" defer></script>
)";

std::string format_as(double unix_seconds, bool for_machines) {
  const auto seconds = static_cast<std::time_t>(std::floor(unix_seconds));
  std::tm t{};
  if (gmtime_r(&seconds, &t) == nullptr) return "–";
  return fmt::format("{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                     for_machines ? "T" : " ", t.tm_hour, t.tm_min, t.tm_sec, for_machines ? "Z" : " UTC");
}

}  // namespace

void begin_page(Html& page, std::string_view title, std::string_view program, double published) {
  page.raw(kHead).raw("<title>").text(title).raw("</title>\n</head>\n<body data-published=\"");
  if (published > 0) page.text(fmt::format("{:.3f}", published));
  page.raw("\">\n<header><h1>").text(program).raw("</h1></header>\n");
  page.raw("<p id=\"lost\" role=\"alert\" hidden></p>\n<main>\n");
}

void end_page(Html& page, const metrics::Build& build, double published, std::string_view telemetry_path) {
  page.raw("</main>\n<footer>\n");
  if (published > 0) {
    page.raw("<p>As of ");
    add_time(page, published);
    page.raw("<noscript>, reloads every 5 s</noscript>.</p>\n");
  }
  page.raw("<p><a href=\"")
      .text(telemetry_path)
      .raw("\">Metrics</a> · <a href=\"/api/v1/status\">Status as JSON</a> · ");
  page.raw("<a href=\"/config\">Configuration</a> · <a href=\"/-/healthy\">Health</a> · ");
  page.raw("<a href=\"/-/ready\">Readiness</a></p>\n");
  if (!build.version.empty()) {
    page.raw("<p>Version ").text(build.version);
    if (!build.revision.empty()) page.raw(", revision ").text(build.revision);
    page.raw("</p>\n");
  }
  page.raw("</footer>\n</body>\n</html>\n");
}

void add_reload_fault(Html& page, bool ok, double in_force_since) {
  if (ok) return;
  page.raw(
      "<section class=\"warn\"><div class=\"head\">\n<h2>Configuration</h2>\n<p><b>▲ The newest "
      "configuration was "
      "refused.</b> The one of ");
  add_time(page, in_force_since);
  page.raw(" stays in force; the log says why.</p>\n</div></section>\n");
}

void add_time(Html& page, double unix_seconds) {
  page.raw("<time datetime=\"").text(format_as(unix_seconds, true)).raw("\">");
  page.text(format_time(unix_seconds)).raw("</time>");
}

void add_since(Html& page, double unix_seconds, double now) {
  add_time(page, unix_seconds);
  page.raw(" (").text(format_ago(unix_seconds, now)).raw(")");
}

std::string format_time(double unix_seconds) { return format_as(unix_seconds, false); }

std::string format_ago(double unix_seconds, double now) {
  const double age = std::floor(now - unix_seconds);
  if (age < 1) return "just now";  // or the wall clock was set back
  return format_duration(from_seconds(age)) + " ago";
}

std::string format_ratio(std::uint64_t part, std::uint64_t of) {
  if (of == 0) return "–";
  if (part == 0) return "0 %";
  if (part >= of) return "100 %";
  const double percent = 100.0 * static_cast<double>(part) / static_cast<double>(of);
  return fmt::format("{:.1f} %", std::clamp(percent, 0.1, 99.9));
}

std::string format_milliseconds(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.1f} ms", *seconds * 1e3) : "–";
}

std::string format_seconds(double seconds) {
  if (seconds >= 120 && std::fmod(seconds, 60) == 0) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.6g} s", seconds);
}

}  // namespace ue::web
