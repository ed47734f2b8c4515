#include "web/router.h"

#include <algorithm>
#include <exception>

#include "base/log.h"
#include "metrics/text.h"
#include "web/assets.h"

namespace ue::web {
namespace {

constexpr std::string_view kHealthyPath = "/-/healthy";
constexpr std::string_view kReadyPath = "/-/ready";
constexpr std::string_view kReloadPath = "/-/reload";
constexpr std::string_view kStatusPath = "/api/v1/status";
constexpr std::string_view kConfigPath = "/config";

bool readable(std::string_view method) { return method == "GET" || method == "HEAD"; }
bool writable(std::string_view method) { return method == "POST" || method == "PUT"; }

Response text(int status, std::string body) { return {.status = status, .body = std::move(body) + "\n"}; }

Response answer(std::string_view content_type, Result<std::string> page) {
  if (!page) return text(503, page.error());
  return {.content_type = content_type, .body = std::move(*page)};
}

Response method_not_allowed(std::string_view allow) {
  Response out = text(405, "405 Method Not Allowed");
  out.headers["Allow"] = allow;
  return out;
}

}  // namespace

Result<std::monostate> Router::check(const Site& site) {
  const std::string& path = site.telemetry_path;
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-_.~").find(c) != std::string_view::npos;
  };
  const bool good = !path.empty() && path[0] == '/' && std::all_of(path.begin(), path.end(), fine) &&
                    path.find("//") == std::string::npos && path.find("/.") == std::string::npos &&
                    !path.starts_with("/-/") && !path.starts_with("/static/") && path != kStatusPath &&
                    path != kConfigPath && (path.size() == 1 || path.back() != '/');
  if (good) return std::monostate{};
  return Error{"--web.telemetry-path: \"" + path +
               "\" cannot be served: write a path like /metrics, of letters, digits and -_.~, outside of "
               "/-/, /static/ and the other pages"};
}

Response Router::respond(std::string_view method, std::string_view path) const {
  try {
    return dispatch(method, path);
  } catch (const std::exception& e) {
    log::error("WEB_INTERNAL", "a page could not be made: {}; please report this message", e.what());
    return text(500, "500 Internal Server Error; the reason is in the log");
  }
}

Response Router::dispatch(std::string_view method, std::string_view path) const {
  if (path == kReloadPath && site_.reload)
    return writable(method) ? reload() : method_not_allowed("POST, PUT");

  const Asset* asset = find_asset(path);
  const bool known = path == site_.telemetry_path || path == "/" || path == kHealthyPath ||
                     path == kReadyPath || path == kStatusPath || path == kConfigPath || asset != nullptr;
  if (!known) return text(404, "404 Not Found");
  if (!readable(method)) return method_not_allowed("GET, HEAD");

  if (path == site_.telemetry_path) return answer(metrics::kTextContentType, site_.metrics());
  if (path == kStatusPath) return answer("application/json", site_.status());
  if (path == kConfigPath) return answer("text/plain; charset=utf-8", site_.config());
  if (asset != nullptr) return {.content_type = asset->content_type, .body = std::string(asset->text)};
  if (path == "/") return {.content_type = "text/html; charset=utf-8", .body = site_.index()};
  if (path == kReadyPath && !site_.ready()) return text(503, site_.program + " is starting");
  return text(200, site_.program + (path == kReadyPath ? " is ready" : " is healthy"));
}

Response Router::reload() const {
  const std::unique_lock lock(reloading_, std::try_to_lock);
  if (!lock) return text(503, "another reload is under way; try again when it has ended");
  const auto done = site_.reload(kReloadDeadline);
  if (!done) return text(500, "the running configuration stays in force: " + done.error());
  return text(200, "reloaded");
}

}  // namespace ue::web
