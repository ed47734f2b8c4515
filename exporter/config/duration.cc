#include <fmt/format.h>

#include <array>
#include <limits>

#include "config/config.h"

namespace ue::config {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::int64_t kDay = 86'400'000;
/// Largest first. A year has 365 days and a week 7, as in Prometheus.
constexpr std::array<Unit, 7> kUnits{{{"y", 365 * kDay},
                                      {"w", 7 * kDay},
                                      {"d", kDay},
                                      {"h", 3'600'000},
                                      {"m", 60'000},
                                      {"s", 1000},
                                      {"ms", 1}}};

constexpr std::int64_t kMaxMilliseconds = std::numeric_limits<std::int64_t>::max() / 1'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Nanos> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text == "0") return Nanos(0);
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    std::size_t digits = 0;
    std::int64_t n = 0;
    while (digits < text.size() && is_digit(text[digits])) {
      n = n * 10 + (text[digits] - '0');
      if (n > kMaxMilliseconds) return std::nullopt;
      ++digits;
    }
    std::size_t letters = digits;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    const auto name = text.substr(digits, letters - digits);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (digits == 0 || next_unit == kUnits.size()) return std::nullopt;
    const auto unit = kUnits[next_unit++].milliseconds;
    if (n > (kMaxMilliseconds - total) / unit) return std::nullopt;
    total += n * unit;
    text.remove_prefix(letters);
  }
  return std::chrono::milliseconds(total);
}

std::string duration_text(Nanos d) {
  std::int64_t rest = std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
  std::string out;
  for (const auto& unit : kUnits) {
    // Weeks and years read badly in the middle of a sum, so they are written only when they are all of it.
    const bool coarse = unit.milliseconds > kDay;
    if (rest < unit.milliseconds || (coarse && rest % unit.milliseconds != 0)) continue;
    out += fmt::format("{}{}", rest / unit.milliseconds, unit.name);
    rest %= unit.milliseconds;
  }
  return out.empty() ? "0s" : out;
}

}  // namespace ue::config
