#include "base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <iterator>
#include <optional>

#include "base/utf8.h"

namespace ue::log {

namespace {

// Set once by configure(), before any other thread exists.
bool g_json = false;
Level g_least = Level::info;

constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};  // in the order of Level

std::optional<Level> parse_level(std::string_view name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Level>(found - std::begin(kNames));
}

/// One write a line, so that lines of several threads do not mix. What standard error does not take is lost.
void put(std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) line.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// A quoted string that is valid in logfmt and in JSON, whatever a peer or a file has put into the message.
/// Control characters (C0, DEL and C1, which terminals obey too) never reach a terminal raw.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto size = utf8_size(text);
    const auto c = static_cast<unsigned char>(text[0]);
    const bool c1 = size == 2 && c == 0xc2 && static_cast<unsigned char>(text[1]) < 0xa0;
    if (size == 0) {
      out += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      out += {'\\', text[0]};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f || c1) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c1 ? text[1] : text[0]));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out + '"';
}

}  // namespace

Result<std::monostate> configure(std::string_view level, std::string_view format) {
  const auto parsed = parse_level(level);
  if (!parsed) return Error{fmt::format("--log.level: '{}' is not one of debug, info, warn, error", level)};
  if (format != "logfmt" && format != "json") {
    return Error{fmt::format("--log.format: '{}' is not one of logfmt, json", format)};
  }
  g_least = *parsed;
  g_json = format == "json";
  return std::monostate{};
}

void write(Level level, std::string_view id, std::string_view message) {
  if (level < g_least) return;
  const auto name = kNames[static_cast<std::size_t>(level)];
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char stamp[32];
  const auto length = std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  const auto ts =
      fmt::format("{}.{:03}Z", std::string_view(stamp, length), now.time_since_epoch().count() % 1000);
  const auto line = g_json ? fmt::format(R"({{"ts":"{}","level":"{}","id":"{}","msg":{}}})", ts, name, id,
                                         quoted(message))
                           : fmt::format("ts={} level={} id={} msg={}", ts, name, id, quoted(message));
  put(line + "\n");
}

}  // namespace ue::log
