#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "openvpn/client_arrivals.h"
#include "openvpn/event.h"
#include "openvpn/tunnel_state.h"

namespace ue::openvpn {

/// Makes sessions, reconnects and handshakes out of events; one for each tunnel. Pure: time comes with the
/// events and with `now`. Owned by a Tunnel on the loop's thread. It never looks at text, and never counts a
/// replayed event: that only teaches it the present state.
class SessionTracker {
 public:
  /// Events of one source in their order. `now` stands in where the event has no time of its own.
  void apply(const Event& event, const Now& now);

  const TunnelState& state() const { return state_; }
  /// Of a client's newest attempt, "ADDRESS:PORT"; empty: none yet.
  const std::string& remote() const { return remote_; }
  /// The tunnel's interface, as its log said last; empty: it has not.
  const std::string& device() const { return device_; }
  const ClientArrivals& clients() const { return clients_; }

 private:
  struct Session {
    std::optional<WallTime> at;   ///< as the source tells it
    std::optional<Instant> seen;  ///< where we were there
  };

  void apply_to_client(const Event& event, const Now& now);
  void apply_to_server(const Event& event, const Now& now);
  void start_process(const Event& event);
  void leave(State next, const Event& event, const Now& now);
  void count(std::uint64_t& counter, const Event& event) { counter += event.replayed ? 0 : 1; }
  void settle(std::uint64_t& outcome, const Event& event);
  void start_handshake(const Event& event);
  void end_handshake(std::uint64_t& outcome, const Event& event);
  void begin_session(const Event& event, const Now& now);
  void end_session(const Event& event, const Now& now);
  void note_remote(const Event& event);
  void note_keepalive(const Event& event);

  TunnelState state_;
  bool handshake_open_ = false;
  bool keepalive_pushed_ = false;
  bool push_open_ = false;  ///< of a client's newest handshake: parts of one PUSH_REPLY follow each other
  std::string remote_;      ///< of a client's newest attempt
  std::string device_;
  std::optional<Session> session_;
  ClientArrivals clients_;
};

}  // namespace ue::openvpn
