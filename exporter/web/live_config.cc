#include "web/live_config.h"

#include <sys/stat.h>

#include "base/log.h"

namespace ue::web {

Result<std::unique_ptr<LiveConfig>> LiveConfig::open(const std::string& path) {
  std::unique_ptr<LiveConfig> out(new LiveConfig(path));
  if (path.empty()) {
    out->state_ = std::make_shared<const State>();
    return out;
  }
  auto state = load(path);
  if (!state) return Error{state.error()};
  out->state_ = std::move(*state);
  out->seen_ = out->stamps(out->state_->config);
  return out;
}

Result<std::shared_ptr<const LiveConfig::State>> LiveConfig::load(const std::string& path) {
  auto config = config::load_web_config(path);
  if (!config) return Error{config.error()};
  State state{std::move(*config), nullptr};
  if (state.config.tls) {
    auto tls = Tls::load(*state.config.tls);
    if (!tls) return Error{path + ": " + tls.error()};
    state.tls = std::move(*tls);
  }
  return std::make_shared<const State>(std::move(state));
}

std::vector<LiveConfig::Stamp> LiveConfig::stamps(const config::WebConfig& config) const {
  std::vector<std::string> files{path_};
  if (config.tls) {
    for (const auto* file : {&config.tls->cert_file, &config.tls->key_file, &config.tls->client_ca_file})
      files.push_back(*file);
  }
  std::vector<Stamp> out;
  for (const auto& file : files) {
    struct stat s {};
    Stamp stamp;
    if (stat(file.c_str(), &s) == 0)
      stamp = {s.st_mtim.tv_sec * 1'000'000'000 + s.st_mtim.tv_nsec, s.st_size, s.st_ino};
    out.push_back(stamp);
  }
  return out;
}

std::shared_ptr<const LiveConfig::State> LiveConfig::current() {
  const std::lock_guard lock(mutex_);
  if (path_.empty()) return state_;
  // Taken before the files are read: what changes meanwhile is seen at the next look.
  auto now = stamps(state_->config);
  if (now == seen_) return state_;
  seen_ = std::move(now);
  auto next = load(path_);
  if (next && ((*next)->tls == nullptr) != (state_->tls == nullptr))
    next = Error{path_ + ": tls_server_config comes into force and goes with a restart only"};
  if (!next) {
    fault_ = next.error();
    log::error("WEB_CONFIG_REFUSED", "{}; what was in force before stays so", fault_);
    return state_;
  }
  fault_.clear();
  if ((*next)->config.tls != state_->config.tls) seen_ = stamps((*next)->config);
  state_ = std::move(*next);
  log::info("WEB_CONFIG_READ", "{} or a certificate that it names has changed and is in force", path_);
  return state_;
}

std::string LiveConfig::fault() {
  (void)current();
  const std::lock_guard lock(mutex_);
  return fault_;
}

}  // namespace ue::web
