#include "openvpn/tunnel.h"

#include "base/log.h"

namespace ue::openvpn {

Tunnel::Tunnel(const config::Tunnel& tunnel) : name_(tunnel.name) {
  if (!tunnel.log.empty()) {
    log_.emplace(tunnel.name, tunnel.log);
    sources_[Source::log] = log_->state();
  }
  const auto unread = [this](Source source, const std::string& configured) {
    if (configured.empty()) return;
    SourceState& state = sources_[source];
    state.remedy = fmt::format("this version reads `log` only, not `{}`; configure OpenVPN's log file",
                               openvpn::name(source));
    ++state.errors["unsupported"];
    log::warn("OPENVPN_SOURCE_UNSUPPORTED", "tunnel {}: {}", name_, state.remedy);
  };
  unread(Source::journal, tunnel.journal);
  unread(Source::status, tunnel.status);
  unread(Source::management, tunnel.management);
}

bool Tunnel::poll(const Now& now) {
  if (!log_) return false;
  const bool more = log_->poll([&](const Event& event) {
    history_.apply(event, tracker_.state(), now.wall);
    tracker_.apply(event, now);
  });
  finding_ =
      tracker_.state().role == Role::server ? Finding{} : history_.diagnose(tracker_.state(), now.wall);
  sources_[Source::log] = log_->state();
  return more;
}

}  // namespace ue::openvpn
