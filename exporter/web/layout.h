#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "metrics/snapshot.h"
#include "web/html.h"

/// What the pages of both programs share: head, style, foot, and how times and ratios are written.
namespace ue::web {

/// Everything up to <main>; the page reloads itself every 5 s, without a script.
void begin_page(Html& page, std::string_view title, std::string_view program);
/// From </main> on, with links to the program's other pages. `published` is in Unix seconds; 0: not yet.
void end_page(Html& page, const metrics::Build& build, double published, std::string_view telemetry_path);

/// "2026-01-02 03:04:05 UTC".
std::string format_time(double unix_seconds);
/// "2026-01-02 03:04:05 UTC (3m10s ago)", or "(just now)".
std::string format_since(double unix_seconds, double now);
/// "98.3 %", "100 %"; never "100 %" or "0 %" for what is not quite that; "–" where `of` is 0.
std::string format_ratio(std::uint64_t part, std::uint64_t of);
/// "12.3 ms"; "–" where there is none.
std::string format_milliseconds(const std::optional<double>& seconds);

}  // namespace ue::web
