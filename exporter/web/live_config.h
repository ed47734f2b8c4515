#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "config/web_config.h"
#include "web/tls.h"

namespace ue::web {

/// The file of --web.config.file with the certificates that it names, read again when one of them changes, so
/// that a renewed certificate needs no restart. A bad file leaves the one before in force, and is told once
/// in the log. Owned by a Server; called by its web threads.
class LiveConfig {
 public:
  struct State {
    config::WebConfig config;
    std::shared_ptr<const Tls> tls;  ///< null: plain HTTP
  };

  /// `path` empty: no file, and nothing is demanded. Errors as config::load_web_config() and Tls::load().
  static Result<std::unique_ptr<LiveConfig>> open(const std::string& path);

  /// What is in force, after a look at whether the files have changed.
  std::shared_ptr<const State> current();
  /// Why the newest files are not in force; empty where they are.
  std::string fault();

 private:
  struct Stamp {  ///< of one file, as stat() tells it
    std::int64_t modified = 0;
    std::int64_t size = -1;  ///< -1: it is not there
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };

  explicit LiveConfig(std::string path) : path_(std::move(path)) {}
  static Result<std::shared_ptr<const State>> load(const std::string& path);
  std::vector<Stamp> stamps(const config::WebConfig& config) const;

  const std::string path_;
  std::mutex mutex_;
  std::shared_ptr<const State> state_;
  std::vector<Stamp> seen_;
  std::string fault_;
};

}  // namespace ue::web
