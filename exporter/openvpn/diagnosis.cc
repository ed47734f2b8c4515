#include "openvpn/diagnosis.h"

#include <algorithm>
#include <array>

namespace ue::openvpn {

namespace {

using Kind = Event::Kind;
/// Log times have a resolution of a second, and OpenVPN looks at its timers about once a second.
constexpr Nanos kSlack = std::chrono::seconds(2);
/// A session that has lived for so long is healthy whatever the ones before it did.
constexpr Nanos kLongProof = std::chrono::minutes(10);
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
      unheard_.reset();
      open_.reason = event.reason;
      open_.from = from_state(before.state);
      if (open_.from == From::connected && before.last_connected)
        open_.lifetime = event.at.value_or(now) - *before.last_connected;
      looping_ = looping_ && (fell_silent(open_) || open_.from != From::connected);
      endings_.push_back(open_);
      if (endings_.size() > kMaxEndings) endings_.pop_front();
      open_ = Ending{};
      return;
    default:
      return;
  }
}

bool ClientHistory::fell_silent(const Ending& e) {
  return e.from == From::connected && e.reason == Reason::ping_restart && e.silent_peer;
}

template <typename Fits>
std::size_t ClientHistory::newest(Fits&& fits) const {
  std::size_t n = 0;
  for (auto e = endings_.rbegin(); e != endings_.rend() && fits(*e); ++e) ++n;
  return n;
}

void ClientHistory::observe(const TunnelState& state, const TrafficMeter::Silence& silence, WallTime now) {
  // A server sends a ping whenever it has sent nothing else for so long.
  const Nanos ping = state.keepalive_ping.value_or(Nanos(0));
  unheard_.reset();
  if (state.state != State::connected || ping == Nanos(0) || silence.sends < 2 ||
      silence.lasted < 3 * ping - kSlack / 2)
    return;
  // What the handshake brought may not be in the counters yet.
  if (!state.last_connected || now - *state.last_connected < 3 * ping) return;
  unheard_ = "nothing came in for " + format_duration(silence.lasted) +
             " although the server must ping every " + format_duration(ping) + ", while packets leave";
  looping_ = looping_ || (!endings_.empty() && fell_silent(endings_.back()));
}

Finding ClientHistory::diagnose(const TunnelState& state, WallTime now) const {
  if (auth_failed_ || (!endings_.empty() && endings_.back().reason == Reason::auth_failure))
    return {Diagnosis::auth_failure, std::string("the server refused the credentials") +
                                         (state.state == State::exiting ? ", and the process has left" : "")};
  if (state.state == State::exiting) return {Diagnosis::disconnected, "the process has left"};
  if (wrong_source_)
    return {Diagnosis::wrong_reply_source, "replies come from an address that was not asked"};
  const bool connected = state.state == State::connected;
  const Nanos age = connected && state.last_connected ? now - *state.last_connected : Nanos(0);
  const Nanos restart = state.keepalive_restart.value_or(Nanos(0));
  // After a session that fell silent, only one that outlives it is a better one.
  const Nanos fatal = !endings_.empty() && fell_silent(endings_.back())
                          ? endings_.back().lifetime.value_or(restart)
                          : restart;
  const Nanos proof = std::min(std::max(restart, fatal), std::max(restart * 4, kLongProof)) + kSlack;
  if (unheard_ && connected && !open_.refused)
    return {looping_ ? Diagnosis::one_way_loop : Diagnosis::no_return,
            (looping_ ? "the session before ended in silence, the handshake of this one passed, and again "
                      : "") +
                *unheard_};
  if (connected && restart > Nanos(0) && age > proof)
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
  // Lifetimes pile up on the NAT's own and the keepalive limit together; the session that the fault ended was
  // longer.
  const auto silences = newest(fell_silent);
  const auto alike = newest([&](const Ending& e) {
    return fell_silent(e) && e.lifetime && *e.lifetime >= restart - kSlack && endings_.back().lifetime &&
           std::chrono::abs(*e.lifetime - *endings_.back().lifetime) <= kSlack + *e.lifetime / 10;
  });
  if (silences >= 3 && alike >= 2 && restart > Nanos(0)) {
    const Nanos lifetime = *endings_.back().lifetime;
    if (!state.keepalive_ping)
      return {Diagnosis::keepalive_mismatch, "sessions end at the keepalive limit of " +
                                                 format_duration(restart) +
                                                 ", but the server was never told to send pings"};
    // Another client with the same certificate restarts at its keepalive limit and throws this one out, which
    // then waits for its own. Either notices up to a ping sooner, counted from its last packet.
    Nanos longest = lifetime;
    for (std::size_t i = 0; i < alike; ++i)
      longest = std::max(longest, *endings_[endings_.size() - 1 - i].lifetime);
    if (longest > 2 * (restart - *state.keepalive_ping) + kSlack / 2 && longest <= 2 * restart + 2 * kSlack)
      return {
          Diagnosis::unknown,
          std::to_string(silences) + " sessions in a row fell silent, the newest " + std::to_string(alike) +
              " each after about twice the keepalive limit of " + format_duration(restart) +
              ": either two clients with one certificate throw each other out, or replies stop about " +
              format_duration(lifetime - restart) +
              " after each handshake. The server's log tells: with one certificate two addresses take turns"};
    return {Diagnosis::one_way_loop,
            std::to_string(silences) + " sessions in a row fell silent, the newest " + std::to_string(alike) +
                " each about " + format_duration(lifetime) +
                " after a handshake that passed (keepalive limit " + format_duration(restart) +
                "): replies stop " +
                (lifetime > restart + kSlack ? "about " + format_duration(lifetime - restart) + " after it"
                                             : "right after it") +
                ". Another client with the same certificate looks alike from here; the server's log tells"};
  }
  if (looping_ && !endings_.empty() && fell_silent(endings_.back()))
    return {
        Diagnosis::one_way_loop,
        "two sessions in a row heard nothing soon after a handshake that passed; none has outlived them yet"};
  if (connected && !endings_.empty() && endings_.back().reason == Reason::signal)
    return {Diagnosis::unknown,
            "connected again after somebody's signal restarted it; too short a time to tell"};
  return {Diagnosis::unknown, connected ? "connected for too short a time to tell" : "too little is known"};
}

}  // namespace ue::openvpn
