#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "metrics/snapshot.h"
#include "web/html.h"

/// What the pages of both programs share: head, foot, and how times and ratios are written.
namespace ue::web {

/// Everything up to <main>. With scripts the page renews itself in place, without them it reloads every 5 s.
/// `published` is in Unix seconds; 0: not yet.
void begin_page(Html& page, std::string_view title, std::string_view program, double published);
/// From </main> on, with links to the program's other pages.
void end_page(Html& page, const metrics::Build& build, double published, std::string_view telemetry_path);

/// That the newest configuration was refused; nothing where it was not.
void add_reload_fault(Html& page, bool ok, double in_force_since);

/// "2026-01-02 03:04:05 UTC" as a <time>, which the script shows in the reader's own zone.
void add_time(Html& page, double unix_seconds);
/// The same with " (3m10s ago)", or "(just now)".
void add_since(Html& page, double unix_seconds, double now);

/// "2026-01-02 03:04:05 UTC".
std::string format_time(double unix_seconds);
/// "3m10s ago", or "just now".
std::string format_ago(double unix_seconds, double now);
/// "98.3 %", "100 %"; never "100 %" or "0 %" for what is not quite that; "–" where `of` is 0.
std::string format_ratio(std::uint64_t part, std::uint64_t of);
/// "12.3 ms"; "–" where there is none.
std::string format_milliseconds(const std::optional<double>& seconds);
/// "5 s", "2 min".
std::string format_seconds(double seconds);

}  // namespace ue::web
