#pragma once
#include <optional>
#include <string>

#include "base/time.h"
#include "openvpn/file_handle.h"
#include "openvpn/management_session.h"
#include "openvpn/source_state.h"

namespace ue::openvpn {

/// Keeps one connection to a daemon's management socket and a ManagementSession over it. Owned by a Tunnel,
/// on the loop's thread. It never waits: each poll() reads what is there. The socket has one place only, so
/// the connection is kept for as long as the daemon lives, and is not opened at all where the daemon's own
/// configuration makes attaching or leaving dangerous (see daemon_options.h).
class ManagementClient {
 public:
  /// `address`: "unix:/path" or "tcp://address:port".
  ManagementClient(std::string tunnel, std::string address, std::string password_file);

  /// True: more is waiting, so call again soon.
  bool poll(const Now& now, const ManagementSession::Sink& sink);

  /// Errors by reason: missing, permission, refused, connect, busy, password, hold, operator, dangerous,
  /// closed.
  const SourceState& state() const { return state_; }
  /// Connections that greeted us so far: with each, history is told again.
  std::uint64_t greetings() const { return greetings_; }

 private:
  void connect(const Now& now, const ManagementSession::Sink& sink);
  bool await_connection();
  bool read_some(const ManagementSession::Sink& sink, std::size_t& budget);
  void ask(Instant now);
  void judge(const Now& now);
  void lose(std::string_view reason, std::string remedy, const Now& now);
  void fail(std::string_view reason, std::string remedy);

  std::string tunnel_;
  std::string address_;
  std::string password_file_;
  SourceState state_;
  FileHandle socket_;
  bool connecting_ = false;
  bool heard_ = false;     ///< something came through this connection
  bool attached_ = false;  ///< to the process that ran last
  std::optional<ManagementSession> session_;
  Instant opened_{};
  Instant next_try_{};
  Nanos pause_ = std::chrono::seconds(1);
  std::uint64_t greetings_ = 0;
  std::uint64_t lines_before_ = 0;  ///< of the connections before
};

}  // namespace ue::openvpn
