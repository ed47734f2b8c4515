#include "openvpn/client_history.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ue::openvpn {

namespace {

using Kind = Event::Kind;
/// Log times have a resolution of a second, and OpenVPN looks at its timers about once a second.
constexpr Nanos kSlack = std::chrono::seconds(2);
/// A session that has lived for so long is healthy whatever the ones before it did; nor do sessions that live
/// longer make a loop (a device that sleeps most of the time shows such).
constexpr Nanos kLongProof = std::chrono::minutes(10);
/// A client that was thrown out restarts after its keepalive limit, a pause (5 s before 2.6) and a handshake.
constexpr Nanos kReturn = std::chrono::seconds(10);

Nanos limit_of(const TunnelState& state) { return state.keepalive_restart.value_or(Nanos(0)); }

/// How often the server pings, as far as it has said; 0: not at all, or not known.
Nanos server_ping_of(const TunnelState& state) {
  return (state.push_told ? state.server_ping : state.keepalive_ping).value_or(Nanos(0));
}

/// The errno of a packet that did not leave this host; 0: another one.
int unsent_code(int code) {
  return code == EPERM || code == ENETDOWN || code == ENETUNREACH || code == EHOSTUNREACH ? code : 0;
}

std::string why_unsent(int code) {
  if (code == EPERM) return "Operation not permitted: a rule of this host's own firewall drops them";
  if (code == ENETDOWN) return "Network is down: look at this host's link";
  return std::string(code == ENETUNREACH ? "Network is unreachable" : "No route to host") +
         ": this host has no route, or a router says so";
}

std::string in_a_row(std::size_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string(what) + " in a row";
}

}  // namespace

void ClientHistory::apply(const Event& event, const TunnelState& before, WallTime now) {
  switch (event.kind) {
    case Kind::process_started: {
      // Under --ping-exit somebody starts the process again and again, and the loop goes on.
      auto kept = std::exchange(left_silent_, false) ? std::move(endings_) : std::deque<Ending>{};
      *this = ClientHistory{};
      endings_ = std::move(kept);
      return;
    }
    case Kind::auth_failed:
      auth_failed_ = true;
      return;
    case Kind::wrong_reply_source:
      open_.wrong_source = true;
      return;
    case Kind::transport_error:
      open_.refused = open_.refused || event.code == ECONNREFUSED;
      if (const int code = unsent_code(event.code)) open_.unsent = code;
      return;
    case Kind::connected:
      auth_failed_ = false;
      open_ = Ending{};
      return;
    case Kind::peer_silent:
      open_.silent_peer = !event.peer.empty();
      return;
    case Kind::exiting:
      if (!open_.silent_peer || before.state == State::exiting) return;
      open_.left = left_silent_ = true;
      return end(event, before, now);
    case Kind::reconnecting:
      return end(event, before, now);
    default:
      return;
  }
}

void ClientHistory::end(const Event& event, const TunnelState& before, WallTime now) {
  unheard_.reset();
  open_.reason = event.reason;
  open_.from = from_state(before.state);
  if (open_.from == From::connected && before.last_connected)
    open_.lifetime = event.at.value_or(now) - *before.last_connected;
  looping_ = looping_ && (fell_silent(open_) || open_.from != From::connected);
  endings_.push_back(open_);
  if (endings_.size() > kMaxEndings) endings_.pop_front();
  open_ = Ending{};
}

bool ClientHistory::fell_silent(const Ending& e) {
  return e.from == From::connected && e.silent_peer && (e.left || e.reason == Reason::ping_restart) &&
         e.unsent == 0;
}

template <typename Fits>
std::size_t ClientHistory::newest(Fits&& fits) const {
  std::size_t n = 0;
  for (auto e = endings_.rbegin(); e != endings_.rend() && fits(*e); ++e) ++n;
  return n;
}

void ClientHistory::observe(const TunnelState& state, const TrafficMeter::Silence& silence, WallTime now) {
  // A server sends a ping whenever it has sent nothing else for so long.
  const Nanos ping = server_ping_of(state);
  unheard_.reset();
  if (state.state != State::connected || ping == Nanos(0) || silence.sends < 2 ||
      silence.lasted < 3 * ping - kSlack / 2)
    return;
  // What the handshake brought may not be in the counters yet.
  if (!state.last_connected || now - *state.last_connected < 3 * ping) return;
  unheard_ = "nothing came in for " + format_duration(silence.lasted) +
             " although the server must ping every " + format_duration(ping) + ", while packets leave";
  const bool again = !endings_.empty() && fell_silent(endings_.back());
  // Another client with this certificate, thrown out when this session began, is back after its own limit.
  const Nanos heard = now - silence.lasted - *state.last_connected;
  const Nanos limit = limit_of(state);
  shared_ = again && heard >= limit - ping - kSlack && heard <= limit + kReturn;
  looping_ = looping_ || (again && !shared_);
}

Finding ClientHistory::diagnose(const TunnelState& state, WallTime now) const {
  if (auth_failed_ || (!endings_.empty() && endings_.back().reason == Reason::auth_failure))
    return {Diagnosis::auth_failure, std::string("the server refused the credentials") +
                                         (state.state == State::exiting ? ", and the process has left" : "")};
  if (state.state == State::exiting) {
    const Finding found = left_silent_ ? loop(state) : Finding{};
    return found.diagnosis != Diagnosis::unknown ? found
                                                 : Finding{Diagnosis::disconnected, "the process has left"};
  }
  if (state.state != State::connected) return attempts(state);
  // A stray packet from elsewhere says nothing while the right ones come in.
  if (open_.wrong_source && unheard_)
    return {Diagnosis::wrong_reply_source,
            "replies come from an address that was not asked, and " + *unheard_};
  if (unheard_ && !open_.refused) {
    if (looping_)
      return {
          Diagnosis::one_way_loop,
          "the session before ended in silence, the handshake of this one passed, and again " + *unheard_};
    if (!shared_) return {Diagnosis::no_return, *unheard_};
    return {Diagnosis::unknown,
            *unheard_ + ", since about the keepalive limit of " + format_duration(limit_of(state)) +
                " after the handshake, as in the session before: either two clients with one "
                "certificate throw each other out, or replies stop then. The server's log tells"};
  }
  const Nanos age = state.last_connected ? now - *state.last_connected : Nanos(0);
  const Nanos limit = state.keepalive_restart.value_or(kLongProof);
  // After a session that fell silent, only one that outlives it is a better one; and by more than a ping,
  // since replies may stop right after one or right before.
  const bool after_silence = !endings_.empty() && fell_silent(endings_.back());
  const Nanos fatal =
      after_silence ? endings_.back().lifetime.value_or(limit) + server_ping_of(state) : limit;
  const Nanos proof = std::min(std::max(limit, fatal), std::max(limit * 4, kLongProof)) + kSlack;
  if (age > proof)
    return {Diagnosis::healthy,
            "connected for " + format_duration(age) +
                (state.keepalive_restart ? ", longer than the keepalive limit of " + format_duration(limit)
                                         : "; no keepalive limit is known")};
  if (!endings_.empty() && endings_.back().refused)
    return {Diagnosis::server_restart, "the server's port was closed when the last session or attempt ended"};
  if (Finding found = loop(state); found.diagnosis != Diagnosis::unknown || !found.why.empty()) return found;
  if (!endings_.empty() && endings_.back().reason == Reason::signal)
    return {Diagnosis::unknown,
            "connected again after somebody's signal restarted it; too short a time to tell"};
  return {Diagnosis::unknown, "connected for too short a time to tell"};
}

/// Of a client that is not connected.
Finding ClientHistory::attempts(const TunnelState& state) const {
  const Ending* last = endings_.empty() ? nullptr : &endings_.back();
  if (open_.wrong_source || (last != nullptr && last->wrong_source))
    return {Diagnosis::wrong_reply_source, "replies come from an address that was not asked"};
  if (open_.refused)
    return {Diagnosis::server_restart, "the server's port is closed: its host answers, its process does not"};
  if (last != nullptr && last->refused)
    return {Diagnosis::server_restart, "the server's port was closed when the last session or attempt ended"};
  if (const int code = open_.unsent != 0 ? open_.unsent : last != nullptr ? last->unsent : 0; code != 0)
    return {Diagnosis::disconnected, "packets do not leave this host: " + why_unsent(code)};
  const auto lost = newest([](const Ending& e) {
    return e.from == From::wait && (e.reason == Reason::tls_error || e.reason == Reason::ping_restart);
  });
  if (state.state != State::auth && lost >= 2)
    return {Diagnosis::no_return, in_a_row(lost, "attempts") + ", and not one packet came back"};
  if (Finding found = loop(state); found.diagnosis != Diagnosis::unknown || !found.why.empty()) return found;
  const auto hung = newest([](const Ending& e) { return e.from == From::auth; });
  if (hung >= 2)
    return {Diagnosis::unknown, in_a_row(hung, "handshakes") +
                                    " began to be answered and did not end: loss, packets too large for the "
                                    "path, or keys that do not fit"};
  return {Diagnosis::unknown, "too little is known"};
}

/// Lifetimes pile up on the NAT's own and the keepalive limit together; the session that the fault ended was
/// longer.
ClientHistory::Silences ClientHistory::silences(const TunnelState& state) const {
  Silences found;
  found.all = newest(fell_silent);
  if (found.all == 0 || !endings_.back().lifetime) return found;
  found.newest = *endings_.back().lifetime;
  found.alike = newest([&](const Ending& e) {
    return fell_silent(e) && e.lifetime && *e.lifetime >= limit_of(state) - kSlack &&
           *e.lifetime <= limit_of(state) + kLongProof &&
           std::chrono::abs(*e.lifetime - found.newest) <= kSlack + *e.lifetime / 10;
  });
  for (std::size_t i = 0; i < found.alike; ++i)
    found.longest = std::max(found.longest, *endings_[endings_.size() - 1 - i].lifetime);
  return found;
}

/// Sessions whose handshake passes and that then fall silent, again and again; without words: no such thing.
Finding ClientHistory::loop(const TunnelState& state) const {
  const Silences found = silences(state);
  const Nanos limit = limit_of(state);
  const Nanos ping = server_ping_of(state);
  if (found.all >= 1 && limit > Nanos(0) && ping >= limit)
    return {Diagnosis::keepalive_mismatch, "the server pings every " + format_duration(ping) +
                                               " only, and this client restarts after " +
                                               format_duration(limit) + " of silence"};
  // Where the limit is not known, nothing but the likeness of the lifetimes speaks for a loop.
  if (found.all >= 3 && found.alike >= (limit > Nanos(0) ? 2U : 3U)) {
    const std::string often = std::to_string(found.all) + " sessions in a row fell silent, the newest " +
                              std::to_string(found.alike);
    if (limit == Nanos(0))
      return {Diagnosis::one_way_loop,
              often + " each about " + format_duration(found.newest) +
                  " after a handshake that passed: replies stop. The log does not tell the keepalive limit "
                  "(--verb 3 does), so that pings which the server never sends, or another client with the "
                  "same certificate, would look alike"};
    if (ping == Nanos(0))
      return {Diagnosis::keepalive_mismatch,
              "sessions end at the keepalive limit of " + format_duration(limit) +
                  ", and the server has not said that it sends pings: set `keepalive` there"};
    // Another client with the same certificate restarts at its keepalive limit and throws this one out, which
    // then waits for its own. Either notices up to a ping sooner, counted from its last packet.
    if (found.longest > 2 * (limit - ping) + kSlack / 2 && found.longest <= 2 * limit + 2 * kSlack)
      return {
          Diagnosis::unknown,
          often + " each after about twice the keepalive limit of " + format_duration(limit) +
              ": either two clients with one certificate throw each other out, or replies stop about " +
              format_duration(found.newest - limit) +
              " after each handshake. The server's log tells: with one certificate two addresses take turns"};
    return {
        Diagnosis::one_way_loop,
        often + " each about " + format_duration(found.newest) +
            " after a handshake that passed (keepalive limit " + format_duration(limit) + "): replies stop " +
            (found.newest > limit + kSlack ? "about " + format_duration(found.newest - limit) + " after it"
                                           : "right after it") +
            ". Another client with the same certificate looks alike from here; the server's log tells"};
  }
  if (looping_ && found.all > 0)
    return {
        Diagnosis::one_way_loop,
        "two sessions in a row heard nothing soon after a handshake that passed; none has outlived them yet"};
  return {};
}

}  // namespace ue::openvpn
