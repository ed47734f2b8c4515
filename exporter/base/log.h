#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

/// Operator messages. Every message has a stable id (UPPER_SNAKE) that the documentation can name, and says what
/// happened, what it means and what to do. Thread-safe; writes to standard error.
namespace ue::log {

enum class Level { debug, info, warn, error };

/// `level`: debug|info|warn|error; `format`: logfmt|json. An error names the flag and what it takes.
Result<std::monostate> configure(std::string_view level, std::string_view format);

void write(Level level, std::string_view id, std::string_view message);

template <typename... Args>
void debug(std::string_view id, fmt::format_string<Args...> text, Args&&... args) {
  write(Level::debug, id, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void info(std::string_view id, fmt::format_string<Args...> text, Args&&... args) {
  write(Level::info, id, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(std::string_view id, fmt::format_string<Args...> text, Args&&... args) {
  write(Level::warn, id, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void error(std::string_view id, fmt::format_string<Args...> text, Args&&... args) {
  write(Level::error, id, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace ue::log
