#include "web/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "base/time.h"

namespace ue::web {
namespace {

// Colours reach a contrast of 4.5:1 on their ground in both schemes; each verdict carries a sign and its name
// as well.
constexpr Html::Markup kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="5">
<style>
:root{--ground:#f6f7f9;--card:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d5dae0;--good:#116329;--warn:#8a4600;--bad:#b3121d;--dim:#57606a;--link:#0a53b0}
@media (prefers-color-scheme:dark){:root{--ground:#0f1318;--card:#181d24;--ink:#e6e9ed;--soft:#a0a9b4;--line:#313944;--good:#5fd07f;--warn:#f0b35a;--bad:#ff8a85;--dim:#a0a9b4;--link:#84b9ff}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:60rem;background:var(--ground);color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:break-word}
a{color:var(--link)}
h1{margin:0 0 1rem;font-size:1.1rem}
h2{margin:0;font-size:1.1rem}
section{margin:0 0 1rem;padding:1rem;background:var(--card);border:1px solid var(--line);border-left-width:.4rem;border-radius:.5rem}
section.good{border-left-color:var(--good)}section.warn{border-left-color:var(--warn)}section.bad{border-left-color:var(--bad)}section.dim{border-left-color:var(--dim)}
.good b,b.good{color:var(--good)}.warn b,b.warn{color:var(--warn)}.bad b,b.bad{color:var(--bad)}.dim b,b.dim{color:var(--dim)}
.verdict{margin:.2rem 0;font-size:2rem;line-height:1.2}
.soft{color:var(--soft);font-size:.9rem}
p{margin:.3rem 0}
.scroll{overflow-x:auto;margin-top:.6rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top;border-top:1px solid var(--line)}
thead th{color:var(--soft);font-weight:normal;border-top:0}
td b{white-space:nowrap}
th .soft{font-weight:normal}
@media (max-width:44rem){thead{display:none}tr,tbody th,td{display:block}tr{padding:.4rem 0;border-top:1px solid var(--line)}tbody th,td{padding:.1rem 0;border:0;overflow-wrap:anywhere}td[data-of]::before{content:attr(data-of) ": ";color:var(--soft)}}
footer{color:var(--soft);font-size:.9rem}
</style>
)";

}  // namespace

void begin_page(Html& page, std::string_view title, std::string_view program) {
  page.raw(kHead)
      .raw("<title>")
      .text(title)
      .raw("</title>\n</head>\n<body>\n<h1>")
      .text(program)
      .raw("</h1>\n<main>\n");
}

void end_page(Html& page, const metrics::Build& build, double published, std::string_view telemetry_path) {
  page.raw("</main>\n<footer>\n");
  if (published > 0) page.raw("<p>As of ").text(format_time(published)).raw(". Reloads every 5 s.</p>\n");
  page.raw("<p><a href=\"").text(telemetry_path).raw("\">Metrics</a> · <a href=\"/-/healthy\">Health</a> · ");
  page.raw("<a href=\"/-/ready\">Readiness</a></p>\n");
  if (!build.version.empty()) {
    page.raw("<p>Version ").text(build.version);
    if (!build.revision.empty()) page.raw(", revision ").text(build.revision);
    page.raw("</p>\n");
  }
  page.raw("</footer>\n</body>\n</html>\n");
}

std::string format_time(double unix_seconds) {
  const auto seconds = static_cast<std::time_t>(std::floor(unix_seconds));
  std::tm t{};
  if (gmtime_r(&seconds, &t) == nullptr) return "–";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                     t.tm_hour, t.tm_min, t.tm_sec);
}

std::string format_since(double unix_seconds, double now) {
  const double age = std::floor(now - unix_seconds);
  if (age < 1) return format_time(unix_seconds) + " (just now)";  // or the wall clock was set back
  return fmt::format("{} ({} ago)", format_time(unix_seconds), format_duration(from_seconds(age)));
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

}  // namespace ue::web
