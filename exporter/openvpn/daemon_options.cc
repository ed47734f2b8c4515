#include "openvpn/daemon_options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <utility>

#include "config/file.h"
#include "openvpn/option_words.h"

namespace ue::openvpn {

namespace {

namespace fs = std::filesystem;

constexpr std::pair<std::string_view, std::string_view> kDangers[] = {
    {"management-signal", "the tunnel restarts whenever a management client leaves"},
    {"management-query-passwords",
     "the daemon waits for a password from whoever is connected, and exits when it leaves"},
    {"management-query-remote", "the daemon waits for whoever is connected to choose its server"},
    {"management-query-proxy", "the daemon waits for whoever is connected to choose its proxy"},
    {"management-hold", "the daemon waits for whoever is connected to start it"},
    {"management-client-auth", "nobody can log in while we hold the only place of the one who must decide"},
    {"management-forget-disconnect", "the daemon forgets its credentials when a management client leaves"},
    {"management-client", "the daemon connects out to its management client and does not listen"},
    {"management-external-key", "the daemon waits for signatures from whoever is connected"},
    {"management-external-cert", "the daemon waits for a certificate from whoever is connected"},
};
constexpr std::size_t kMaxConfig = 1024 * 1024;  // octets; inline certificates are a few thousand

std::string joined(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : " ") + word;
  return all;
}

/// Adds a file's management options, and those of the files that it names; false where one cannot be read.
bool read_config(const fs::path& root, fs::path cwd, const std::string& file, std::vector<std::string>& out,
                 int depth) {
  const fs::path inside = cwd / file;  // an absolute name replaces the directory
  const fs::path path = root / inside.relative_path();
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return false;  // a pipe would hold the loop up
  const auto content = config::read_file(path, kMaxConfig);
  if (!content) return false;
  const std::string& text = *content;
  for (auto& option : management_options(text)) out.push_back(std::move(option));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto words = option_words(line);
    if (words.size() < 2) continue;
    if (words[0] == "cd") cwd = cwd / words[1];
    if (words[0] == "config" && (depth >= 4 || !read_config(root, cwd, words[1], out, depth + 1)))
      return false;
  }
  return true;
}

/// Of one process; nothing where it is no OpenVPN, or cannot be looked into.
std::optional<std::vector<std::string>> options_of(const fs::path& process) {
  const auto line = config::read_file(process / "cmdline", kMaxConfig);
  if (!line) return std::nullopt;
  std::vector<std::string> arguments;
  std::istringstream parts(*line);
  for (std::string part; std::getline(parts, part, '\0');) arguments.push_back(part);
  if (arguments.empty() || !fs::path(arguments[0]).filename().string().starts_with("openvpn"))
    return std::nullopt;
  if (arguments.size() == 2 && !arguments[1].starts_with("--"))
    arguments = {arguments[0], "--config", arguments[1]};
  std::error_code error;
  fs::path cwd = fs::read_symlink(process / "cwd", error);
  if (error) return std::nullopt;
  std::vector<std::string> options;
  for (std::size_t i = 1; i < arguments.size();) {
    std::vector<std::string> words{arguments[i++]};
    if (!words[0].starts_with("--")) continue;
    words[0].erase(0, 2);
    while (i < arguments.size() && !arguments[i].starts_with("--")) words.push_back(arguments[i++]);
    if (words[0] == "cd" && words.size() > 1) cwd = cwd / words[1];
    if (words[0].starts_with("management")) options.push_back(joined(words));
    if (words[0] == "config" && words.size() > 1 && !read_config(process / "root", cwd, words[1], options, 0))
      return std::nullopt;
  }
  return options;
}

bool listens_at(const std::vector<std::string>& options, const std::string& address) {
  return std::any_of(options.begin(), options.end(), [&](const std::string& option) {
    const auto words = option_words(option);
    if (words.size() < 3 || words[0] != "management") return false;
    const std::string wanted = words[2] == "unix" ? "unix:" + words[1] : "tcp://" + words[1] + ":" + words[2];
    return wanted == address || "tcp://[" + words[1] + "]:" + words[2] == address ||
           (words[1] == "localhost" && address == "tcp://127.0.0.1:" + words[2]);
  });
}

}  // namespace

std::vector<std::string> management_options(std::string_view config) {
  std::vector<std::string> found;
  bool inline_file = false;
  while (!config.empty()) {
    const auto end = config.find('\n');
    const auto words = option_words(config.substr(0, end));
    config = end == config.npos ? std::string_view{} : config.substr(end + 1);
    if (words.empty()) continue;
    // <ca> ... </ca>: a certificate or a key in the file itself. <connection> holds options.
    if (words[0].starts_with("</"))
      inline_file = false;
    else if (words[0].starts_with("<") && words[0] != "<connection>")
      inline_file = true;
    if (!inline_file && words[0].starts_with("management")) found.push_back(joined(words));
  }
  return found;
}

std::optional<std::string> management_danger(const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    const std::string_view name = std::string_view(option).substr(0, option.find(' '));
    for (const auto& [danger, effect] : kDangers) {
      if (name == danger) return std::string(danger) + ": " + std::string(effect);
    }
  }
  return std::nullopt;
}

std::optional<std::vector<std::string>> running_daemon_options(const std::string& address) {
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.empty() || name[0] < '1' || name[0] > '9') continue;
    auto options = options_of(it->path());
    if (options && listens_at(*options, address)) return options;
  }
  return std::nullopt;
}

}  // namespace ue::openvpn
