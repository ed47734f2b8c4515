#include "agent/tunnel_watch.h"

#include <string>

#include "base/log.h"

namespace ue::agent {

TunnelWatch::TunnelWatch(const config::Tunnel& tunnel)
    : name_(tunnel.name),
      reflector_(tunnel.reflector),
      device_(tunnel.device),
      tunnel_(tunnel),
      clients_(tunnel.clients) {
  if (!clients_.fault().empty())
    log::warn("OPENVPN_CLIENTS_HIDDEN", "tunnel {}: {}", name_, clients_.fault());
}

std::shared_ptr<metrics::Tunnel> TunnelWatch::snapshot() {
  const auto& state = tunnel_.state();
  auto t = std::make_shared<metrics::Tunnel>();
  t->name = name_;
  t->state = openvpn::name(state.state);
  t->diagnosis = openvpn::name(tunnel_.finding().diagnosis);
  for (const auto& [source, s] : tunnel_.sources()) {
    const std::string label(openvpn::name(source));
    t->sources[label] = s.up;
    for (const auto& [reason, count] : s.errors) t->source_errors[{label, reason}] = count;
  }
  for (std::size_t r = 0; r < openvpn::kReasons; ++r) {
    for (std::size_t f = 0; f < openvpn::kFroms; ++f) {
      const auto reason = openvpn::name(static_cast<openvpn::Reason>(r));
      const auto from = openvpn::name(static_cast<openvpn::From>(f));
      t->reconnects[{std::string(reason), std::string(from)}] = state.reconnects[r][f];
    }
  }
  t->handshakes_started = state.handshakes_started;
  t->handshakes_completed = state.handshakes_completed;
  t->handshakes_failed = state.handshakes_failed;
  t->soft_resets = state.soft_resets;
  t->endpoint_changes = state.endpoint_changes;
  const auto& durations = state.session_durations;
  t->session_duration.bounds.assign(durations.kBounds.begin(), durations.kBounds.end());
  t->session_duration.counts.assign(durations.counts.begin(), durations.counts.end());
  t->session_duration.sum = durations.sum;
  if (state.last_connected) t->last_connected = to_unix_seconds(*state.last_connected);
  if (state.keepalive_ping) t->keepalive_ping = to_seconds(*state.keepalive_ping);
  if (state.keepalive_restart) t->keepalive_restart = to_seconds(*state.keepalive_restart);
  if (const auto& ledger = tunnel_.ledger(); !ledger.empty()) {
    t->received_bytes = ledger.all().received;
    t->sent_bytes = ledger.all().sent;
    t->connected_clients = ledger.all().sessions;
    t->unauthenticated_clients = ledger.unauthenticated();
  } else if (const auto* traffic = tunnel_.traffic()) {
    t->received_bytes = traffic->received();
    t->sent_bytes = traffic->sent();
    if (traffic->last_received()) t->last_received = to_unix_seconds(*traffic->last_received());
  }
  t->clients = clients_.read(tunnel_);
  return t;
}

std::vector<metrics::Collector> TunnelWatch::collectors() const {
  std::vector<metrics::Collector> all;
  for (const auto& [source, s] : tunnel_.sources()) {
    all.push_back({"openvpn:" + name_ + ":" + std::string(openvpn::name(source)), s.up, s.remedy});
  }
  if (!clients_.fault().empty()) all.push_back({"openvpn:" + name_ + ":clients", false, clients_.fault()});
  return all;
}

}  // namespace ue::agent
