#pragma once
#include <mutex>
#include <string_view>

#include "base/result.h"
#include "web/response.h"
#include "web/site.h"

namespace ue::web {

/// Answers requests: which path, which method, what comes back. Owned by a Server and called by its web
/// threads, any number at once; knows no socket.
class Router {
 public:
  /// How long a reload may take before its client is told that it did not happen in time.
  static constexpr Nanos kReloadDeadline = std::chrono::seconds(10);

  explicit Router(Site site) : site_(std::move(site)) {}

  /// An error names the telemetry path and what it must be.
  static Result<std::monostate> check(const Site& site);

  /// `path` is decoded and has no query. Never throws: what a callback throws becomes a 500.
  Response respond(std::string_view method, std::string_view path) const;

 private:
  Response dispatch(std::string_view method, std::string_view path) const;
  Response reload() const;

  Site site_;
  mutable std::mutex reloading_;  ///< held while one reload runs
};

}  // namespace ue::web
