#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.h"

/// What happens to an OpenVPN daemon, whichever source told of it. Parsers make events, the session tracker
/// consumes them; neither knows of the other.
namespace ue::openvpn {

enum class Source : std::uint8_t { log, journal, status, management };
std::string_view name(Source s);

/// The daemon as a whole: a client's tunnel, or a server's readiness to take clients.
enum class State : std::uint8_t {
  unknown,
  connecting,  ///< started, resolving, choosing a remote
  wait,        ///< sent the first packet, heard nothing yet
  auth,        ///< something came back; handshake or configuration under way
  connected,
  reconnecting,  ///< restarting or pausing before the next attempt
  exiting,
};
inline constexpr std::array kAllStates{State::unknown,   State::connecting,   State::wait,   State::auth,
                                       State::connected, State::reconnecting, State::exiting};
std::string_view name(State s);

/// Why a daemon restarted or left: the fixed list that label values come from. Everything else is `other`.
enum class Reason : std::uint8_t {
  ping_restart,
  tls_error,
  connection_reset,
  server_poll,
  auth_failure,
  exit_with_notification,
  signal,       ///< no reason given: somebody outside sent the signal
  new_session,  ///< on a server: a client that was seen before arrived again
  other,
};
inline constexpr std::size_t kReasons = 9;
std::string_view name(Reason r);
/// `text` as OpenVPN writes it in `SIGUSR1[soft,TEXT]` or in a RECONNECTING state; never fails.
Reason reason_from(std::string_view text);

/// The state that a restart left. With the reason it tells a silent data channel (connected, ping-restart)
/// from a path on which nothing returns (wait, tls-error). A log below verb 2 does not show when `wait`
/// became `auth`.
enum class From : std::uint8_t { connected, wait, auth, other };
inline constexpr std::size_t kFroms = 4;
std::string_view name(From f);
From from_state(State s);

/// One thing that happened. The views point into the parsed input and die with it; copy what must live
/// longer.
struct Event {
  enum class Kind : std::uint8_t {
    process_started,    ///< banner of a new process
    attempt,            ///< a client chose a remote (endpoint)
    listening,          ///< it is a server
    device_opened,      ///< the tunnel's interface is `endpoint`
    handshake_started,  ///< a client's first packet is on its way to `endpoint`; on a server one arrived from
                        ///< there
    answered,           ///< the peer sent something during the handshake
    verified,           ///< the peer's certificate was looked at: in a handshake, or in a soft reset
    keys_agreed,        ///< TLS is through: in a handshake, or in a soft reset
    handshake_failed,
    handshake_completed,  ///< `peer` is authenticated, at `endpoint`
    connected,            ///< initialisation completed: a client's session begins, a server is ready
    reconnecting,         ///< the process restarts, for `reason`
    exit_announced,       ///< the process tells its peer that it will leave
    exiting,              ///< the process leaves, for `reason`
    client_dropped,       ///< a server ended one client's instance, for `reason`
    client_superseded,    ///< a server drops the older sessions of `peer`, which arrived again
    peer_leaving,         ///< a server's client said goodbye
    peer_silent,  ///< keepalive or inactivity limit reached; `peer` is empty where none was authenticated
    soft_reset,   ///< TLS renegotiation; the session goes on
    floated,      ///< a client of a server goes on from another `endpoint`
    keepalive_pushed,     ///< what a PUSH_REPLY says of ping and ping-restart
    keepalive_effective,  ///< every timer in force; a server's own ping-restart is twice what it pushes
    state_reported,  ///< `state`, as told to a management client; what else it means is told by its own event
    auth_failed,
    wrong_reply_source,  ///< packets came back from an address that was not asked (endpoint)
    transport_error,     ///< errno of a read or write is in `code`
    bad_packet,          ///< key, HMAC or replay trouble
    refused,             ///< a server's limit on new connections
  };
  Kind kind = Kind::process_started;
  Source source = Source::log;
  bool replayed = false;   ///< happened before we began to watch: teaches the state, counts for nothing
  bool of_client = false;  ///< on a server: about one client's instance, not about the daemon
  State state = State::unknown;
  Reason reason = Reason::other;
  int code = 0;
  std::optional<std::uint32_t> ping;     ///< seconds
  std::optional<std::uint32_t> restart;  ///< seconds
  std::optional<WallTime> at;            ///< as the source tells it; log times have a resolution of a second
  std::string_view peer;                 ///< common name
  std::string_view endpoint;             ///< "ADDRESS:PORT", opaque: only compared; or a device
};

}  // namespace ue::openvpn
