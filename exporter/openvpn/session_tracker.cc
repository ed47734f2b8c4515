#include "openvpn/session_tracker.h"

#include <utility>

namespace ue::openvpn {

namespace {

using Kind = Event::Kind;
constexpr std::size_t kMaxRemote = 128;

/// When it happened. Nothing for an old event without a time: now would be wrong.
std::optional<WallTime> time_of(const Event& event, const Now& now) {
  if (event.at) return event.at;
  return event.replayed ? std::nullopt : std::optional(now.wall);
}

}  // namespace

void SessionTracker::apply(const Event& event, const Now& now) {
  // A client's log has no clients: what looks so is text that its server or its certificate chose.
  if (event.of_client && state_.role == Role::client) return;
  if (event.of_client || event.kind == Kind::listening) state_.role = Role::server;
  switch (event.kind) {
    case Kind::process_started:
      return start_process(event);
    case Kind::soft_reset:
      count(state_.soft_resets, event);
      if (!event.of_client && state_.state == State::unknown) state_.state = State::connected;
      return;
    case Kind::keepalive_pushed:
    case Kind::keepalive_effective:
      return note_keepalive(event);
    case Kind::device_opened:
      if (!event.of_client) device_ = event.endpoint;
      return;
    default:
      break;
  }
  if (state_.role == Role::server) {
    apply_to_server(event, now);
  } else {
    apply_to_client(event, now);
  }
}

void SessionTracker::apply_to_client(const Event& event, const Now& now) {
  State& state = state_.state;
  const bool waiting = state == State::wait || state == State::connecting;
  switch (event.kind) {
    case Kind::attempt:
      if (state != State::connected) state = State::connecting;
      return;
    case Kind::handshake_started:
      state_.role = Role::client;
      note_remote(event);
      start_handshake(event);
      state = State::wait;
      return;
    case Kind::answered:
      if (waiting || state == State::unknown) state = State::auth;
      return;
    case Kind::verified:
      // We began in the middle of a long session: only its soft resets are in the log.
      if (state == State::unknown) state = State::connected;
      if (waiting) state = State::auth;
      return;
    case Kind::state_reported:
      // A state that is reported after the line that it belongs to must not undo what that line told.
      if (event.state == State::auth ? waiting : state != State::connected && state != State::auth)
        state = event.state;
      return;
    case Kind::handshake_failed:
      return end_handshake(state_.handshakes_failed, event);
    case Kind::handshake_completed:
      end_handshake(state_.handshakes_completed, event);
      if (state != State::connected) state = State::auth;
      return;
    case Kind::connected:
      note_remote(event);
      state = State::connected;
      return begin_session(event, now);
    case Kind::peer_silent:
      if (state == State::unknown) state = event.peer.empty() ? State::wait : State::connected;
      return;
    case Kind::reconnecting:
      count(state_.reconnects[static_cast<std::size_t>(event.reason)]
                             [static_cast<std::size_t>(from_state(state))],
            event);
      return leave(State::reconnecting, event, now);
    case Kind::exit_announced:
    case Kind::exiting:
      return leave(State::exiting, event, now);
    default:
      return;  // of no consequence for sessions
  }
}

void SessionTracker::apply_to_server(const Event& event, const Now& now) {
  switch (event.kind) {
    case Kind::handshake_started:
      return count(state_.handshakes_started, event);
    case Kind::handshake_failed:
      return settle(state_.handshakes_failed, event);
    case Kind::handshake_completed: {
      settle(state_.handshakes_completed, event);
      count(state_.sessions, event);
      const auto arrival = clients_.arrive(event.peer, event.endpoint, event.replayed);
      if (arrival.known)
        count(state_.reconnects[static_cast<std::size_t>(Reason::new_session)]
                               [static_cast<std::size_t>(From::other)],
              event);
      if (arrival.endpoint_changed) count(state_.endpoint_changes, event);
      if (const auto at = time_of(event, now)) state_.last_connected = at;
      return;
    }
    case Kind::client_superseded:
      if (clients_.was_known(event.peer, event.replayed)) {
        count(state_.reconnects[static_cast<std::size_t>(Reason::new_session)]
                               [static_cast<std::size_t>(From::other)],
              event);
        count(state_.endpoint_changes, event);
      }
      return;
    case Kind::floated:
      if (clients_.move(event.peer, event.endpoint, event.replayed)) count(state_.endpoint_changes, event);
      return;
    case Kind::connected:
      state_.state = State::connected;
      return;
    case Kind::reconnecting:
      if (!event.of_client) state_.state = State::reconnecting;
      return;
    case Kind::exit_announced:
    case Kind::exiting:
      if (!event.of_client) state_.state = State::exiting;
      return;
    case Kind::listening:
      if (state_.state != State::connected) state_.state = State::connecting;
      handshake_open_ = false;
      return;
    default:
      // A line about a client comes from a server that is up.
      if (event.of_client && state_.state == State::unknown) state_.state = State::connected;
      return;
  }
}

/// The process before this one ended without a word (killed, or the machine went down): when is not known, so
/// its session has no duration.
void SessionTracker::start_process(const Event& event) {
  if (handshake_open_) end_handshake(state_.handshakes_failed, event);
  session_.reset();
  keepalive_pushed_ = push_open_ = state_.push_told = false;
  state_.server_ping.reset();
  state_.role = Role::unknown;
  state_.state = State::connecting;
}

void SessionTracker::leave(State next, const Event& event, const Now& now) {
  if (handshake_open_) end_handshake(state_.handshakes_failed, event);
  end_session(event, now);
  state_.state = next;
}

/// Keeps started >= completed + failed where the beginning was not seen: it was before our time, or this
/// version's server does not log it (2.6 and later answer the first packet without a state).
void SessionTracker::settle(std::uint64_t& outcome, const Event& event) {
  if (state_.handshakes_started == state_.handshakes_completed + state_.handshakes_failed)
    count(state_.handshakes_started, event);
  count(outcome, event);
}

void SessionTracker::start_handshake(const Event& event) {
  if (handshake_open_) end_handshake(state_.handshakes_failed, event);
  count(state_.handshakes_started, event);
  handshake_open_ = true;
  push_open_ = false;
}

void SessionTracker::end_handshake(std::uint64_t& outcome, const Event& event) {
  settle(outcome, event);
  handshake_open_ = false;
}

void SessionTracker::begin_session(const Event& event, const Now& now) {
  count(state_.sessions, event);
  if (const auto at = time_of(event, now)) state_.last_connected = at;
  session_ = Session{event.at, event.replayed ? std::nullopt : std::optional(now.mono)};
}

void SessionTracker::end_session(const Event& event, const Now& now) {
  if (state_.state != State::connected) return;
  if (const auto at = time_of(event, now)) state_.last_disconnected = at;
  if (session_ && !event.replayed) {
    // The log's own times are exact to the second however late we read it, unless the clock was set back.
    if (session_->at && event.at && *event.at >= *session_->at) {
      state_.session_durations.add(*event.at - *session_->at);
    } else if (session_->seen) {
      state_.session_durations.add(now.mono - *session_->seen);
    }
  }
  session_.reset();
}

void SessionTracker::note_remote(const Event& event) {
  if (event.endpoint.empty() || event.endpoint.size() > kMaxRemote || event.endpoint == remote_) return;
  if (!remote_.empty()) count(state_.endpoint_changes, event);
  remote_ = event.endpoint;
}

void SessionTracker::note_keepalive(const Event& event) {
  const auto as_nanos = [](const std::optional<std::uint32_t>& s) {
    return s ? std::optional<Nanos>(std::chrono::seconds(*s)) : std::nullopt;
  };
  if (event.kind == Kind::keepalive_pushed) {
    // What it does not say anew in the next handshake is no longer so; of a server's clients each may hear
    // less.
    if (!event.of_client && !std::exchange(push_open_, true)) state_.server_ping.reset();
    if (event.ping) state_.server_ping = as_nanos(event.ping);
    state_.push_told = true;
    // A reply may come in several parts: what one part lacks another may have said.
    if (event.ping) state_.keepalive_ping = as_nanos(event.ping);
    if (event.restart) state_.keepalive_restart = as_nanos(event.restart);
    keepalive_pushed_ = keepalive_pushed_ || event.ping || event.restart;
    return;
  }
  if (event.of_client && event.ping) state_.server_ping = as_nanos(event.ping);  // its own timer
  if (!event.of_client) {
    state_.keepalive_ping = as_nanos(event.ping);
    state_.keepalive_restart = as_nanos(event.restart);
  } else if (!keepalive_pushed_) {
    state_.keepalive_ping = as_nanos(event.ping);
    state_.keepalive_restart = as_nanos(event.restart);
    if (state_.keepalive_restart) *state_.keepalive_restart /= 2;  // `keepalive a b` gives the server 2 b
  }
}

}  // namespace ue::openvpn
