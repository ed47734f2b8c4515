#include "openvpn/event.h"

namespace ue::openvpn {

namespace {

constexpr std::array<std::string_view, kReasons> kReasonNames{
    "ping-restart",           "tls-error", "connection-reset", "server-poll", "auth-failure",
    "exit-with-notification", "signal",    "new_session",      "other"};

}  // namespace

std::string_view name(Source s) {
  constexpr std::array<std::string_view, 4> names{"log", "journal", "status", "management"};
  return names[static_cast<std::size_t>(s)];
}

std::string_view name(State s) {
  constexpr std::array<std::string_view, kAllStates.size()> names{
      "unknown", "connecting", "wait", "auth", "connected", "reconnecting", "exiting"};
  return names[static_cast<std::size_t>(s)];
}

std::string_view name(Reason r) { return kReasonNames[static_cast<std::size_t>(r)]; }

std::string_view name(From f) {
  constexpr std::array<std::string_view, kFroms> names{"connected", "wait", "auth", "other"};
  return names[static_cast<std::size_t>(f)];
}

Reason reason_from(std::string_view text) {
  // A state line names the signal itself where the log line has an empty reason.
  if (text.empty() || text == "SIGUSR1" || text == "SIGHUP" || text == "SIGTERM" || text == "SIGINT")
    return Reason::signal;
  if (text == "server_poll") return Reason::server_poll;
  // "auth-failure (auth-token)", "auth-temp-failure (server temporary reject)"
  if (text.starts_with("auth-failure") || text.starts_with("auth-temp-failure")) return Reason::auth_failure;
  for (const Reason r : {Reason::ping_restart, Reason::tls_error, Reason::connection_reset,
                         Reason::server_poll, Reason::exit_with_notification})
    if (text == name(r)) return r;
  return Reason::other;
}

From from_state(State s) {
  switch (s) {
    case State::connected:
      return From::connected;
    case State::wait:
      return From::wait;
    case State::auth:
      return From::auth;
    default:
      return From::other;
  }
}

}  // namespace ue::openvpn
