#include "openvpn/diagnosis.h"

#include <array>

namespace ue::openvpn {

namespace {

using Kind = Event::Kind;
constexpr Nanos kSlack = std::chrono::seconds(2);
constexpr int kConnectionRefused = 111;

}  // namespace

std::string_view name(Diagnosis d) {
  constexpr std::array<std::string_view, 10> kNames{"healthy",
                                                    "one_way_loop",
                                                    "no_return",
                                                    "auth_failure",
                                                    "shared_common_name",
                                                    "keepalive_mismatch",
                                                    "wrong_reply_source",
                                                    "server_restart",
                                                    "disconnected",
                                                    "unknown"};
  return kNames[static_cast<std::size_t>(d)];
}

void ClientHistory::apply(const Event& event, const TunnelState& before, WallTime now) {
  switch (event.kind) {
    case Kind::process_started:
      *this = ClientHistory{};
      return;
    case Kind::auth_failed:
      auth_failed_ = true;
      return;
    case Kind::wrong_reply_source:
      wrong_source_ = true;
      return;
    case Kind::transport_error:
      open_.refused = open_.refused || event.code == kConnectionRefused;
      return;
    case Kind::connected:
      auth_failed_ = wrong_source_ = false;
      open_ = Ending{};
      return;
    case Kind::peer_silent:
      open_.silent_peer = !event.peer.empty();
      return;
    case Kind::reconnecting:
      open_.reason = event.reason;
      open_.from = from_state(before.state);
      if (open_.from == From::connected && before.last_connected)
        open_.lifetime = event.at.value_or(now) - *before.last_connected;
      endings_.push_back(open_);
      if (endings_.size() > kMaxEndings) endings_.pop_front();
      open_ = Ending{};
      return;
    default:
      return;
  }
}

template <typename Fits>
std::size_t ClientHistory::newest(Fits&& fits) const {
  std::size_t n = 0;
  for (auto e = endings_.rbegin(); e != endings_.rend() && fits(*e); ++e) ++n;
  return n;
}

Finding ClientHistory::diagnose(const TunnelState& state, WallTime now) const {
  if (state.state == State::exiting) return {Diagnosis::disconnected, "the process has left"};
  if (auth_failed_ || (!endings_.empty() && endings_.back().reason == Reason::auth_failure))
    return {Diagnosis::auth_failure, "the server refused the credentials"};
  if (wrong_source_)
    return {Diagnosis::wrong_reply_source, "replies come from an address that was not asked"};
  const bool connected = state.state == State::connected;
  const Nanos age = connected && state.last_connected ? now - *state.last_connected : Nanos(0);
  const Nanos restart = state.keepalive_restart.value_or(Nanos(0));
  if (connected && restart > Nanos(0) && age > restart + kSlack)
    return {Diagnosis::healthy, "connected for " + format_duration(age) +
                                    ", longer than the keepalive limit of " + format_duration(restart)};
  if (!connected && open_.refused)
    return {Diagnosis::server_restart, "the server's port is closed: its host answers, its process does not"};
  if (!endings_.empty() && endings_.back().refused)
    return {Diagnosis::server_restart, "the server's port was closed when the last session or attempt ended"};
  const auto lost = newest([](const Ending& e) {
    return e.from == From::wait && (e.reason == Reason::tls_error || e.reason == Reason::ping_restart);
  });
  if (!connected && state.state != State::auth && lost >= 2)
    return {Diagnosis::no_return, std::to_string(lost) + " attempts in a row, and not one packet came back"};
  const auto silences = newest([](const Ending& e) {
    return e.from == From::connected && e.reason == Reason::ping_restart && e.silent_peer;
  });
  const auto clustered = newest([&](const Ending& e) {
    return e.from == From::connected && e.reason == Reason::ping_restart && e.silent_peer && e.lifetime &&
           *e.lifetime >= restart - kSlack && *e.lifetime <= restart + kSlack;
  });
  if (silences >= 3 && clustered >= 2 && restart > Nanos(0)) {
    if (!state.keepalive_ping)
      return {Diagnosis::keepalive_mismatch, "sessions end at the keepalive limit of " +
                                                 format_duration(restart) +
                                                 ", but the server was never told to send pings"};
    return {Diagnosis::one_way_loop,
            std::to_string(silences) + " sessions in a row fell silent, " + std::to_string(clustered) +
                " of them just " + format_duration(restart) +
                " after a handshake that passed: replies stop right after it. Another client with the same "
                "certificate looks alike from here; the server's log tells"};
  }
  return {Diagnosis::unknown, connected ? "connected for too short a time to tell" : "too little is known"};
}

}  // namespace ue::openvpn
