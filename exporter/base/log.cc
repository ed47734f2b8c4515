#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

#include "base/utf8.h"

namespace ue::log {

namespace {

bool g_json = false;  // set once by configure(), before any other thread exists

spdlog::logger& logger() {
  static const auto instance = [] {
    auto l = spdlog::stderr_logger_mt("uplink");
    l->set_pattern("%v");
    l->flush_on(spdlog::level::debug);
    return l;
  }();
  return *instance;
}

std::optional<spdlog::level::level_enum> parse_level(std::string_view name) {
  if (name == "debug") return spdlog::level::debug;
  if (name == "info") return spdlog::level::info;
  if (name == "warn") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  return std::nullopt;
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
  logger().set_level(*parsed);
  g_json = format == "json";
  return std::monostate{};
}

void write(Level level, std::string_view id, std::string_view message) {
  static constexpr std::string_view kNames[] = {"debug", "info", "warn", "error"};
  static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info,
                                                          spdlog::level::warn, spdlog::level::err};
  const auto i = static_cast<std::size_t>(level);
  if (!logger().should_log(kLevels[i])) return;
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char stamp[32];
  const auto length = std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  const auto ts =
      fmt::format("{}.{:03}Z", std::string_view(stamp, length), now.time_since_epoch().count() % 1000);
  const auto line = g_json ? fmt::format(R"({{"ts":"{}","level":"{}","id":"{}","msg":{}}})", ts, kNames[i],
                                         id, quoted(message))
                           : fmt::format("ts={} level={} id={} msg={}", ts, kNames[i], id, quoted(message));
  logger().log(kLevels[i], line);
}

}  // namespace ue::log
