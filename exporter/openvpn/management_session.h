#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "openvpn/event_merger.h"
#include "openvpn/line_buffer.h"
#include "openvpn/log_clock.h"
#include "openvpn/status_report.h"

namespace ue::openvpn {

/// One conversation over a daemon's management socket, from its greeting on: asks for what happened and what
/// will happen, one question at a time, and makes events of the answers. Pure: is fed what arrived and hands
/// back what to send. It only listens: kManagementCommands is all that it ever sends, besides the password,
/// and it answers no question of the daemon, because each answer would act on somebody's tunnel.
class ManagementSession {
 public:
  static constexpr std::size_t kMaxAnswer = 64 * 1024 * 1024;  ///< octets of one status
  static constexpr Nanos kStatusEvery = std::chrono::seconds(60);

  /// Why nothing, or not all, is learned.
  enum class Trouble : std::uint8_t {
    none,
    password_needed,
    password_wrong,
    held,      ///< --management-hold: the daemon waits until somebody else lets it go
    operator_  ///< the daemon asks for a password or a decision
  };
  struct Sink {
    /// `history`: happened before we asked. The event's views die with the call.
    std::function<void(const Event&, Channel, bool history)> event;
    std::function<void(std::uint64_t received, std::uint64_t sent)> traffic;  ///< a client's, since its start
    std::function<void(const StatusReport&)> status;
  };

  explicit ManagementSession(std::string password = {}) : password_(std::move(password)) {}

  void feed(std::string_view bytes, const Sink& sink);
  /// What to send now; often nothing. A server's status is asked for every kStatusEvery.
  std::string next_command(Instant now);

  bool greeted() const { return greeted_; }  ///< the daemon talks to us, not to somebody else
  Trouble trouble() const { return trouble_; }
  std::uint64_t lines() const { return count_; }

 private:
  enum class Asked : std::uint8_t { nothing, state, log, status, bytecount };

  void line(std::string_view text, const Sink& sink);
  void notification(std::string_view text, const Sink& sink);
  void answer(std::string_view text, const Sink& sink);
  void answered(const Sink& sink);
  void state_line(std::string_view text, bool history, const Sink& sink);
  void log_line(std::string_view text, bool history, const Sink& sink);
  void client_line(std::string_view text, const Sink& sink);

  const std::string password_;
  LineBuffer lines_{64 * 1024};
  LogClock clock_;
  bool greeted_ = false;
  bool password_sent_ = false;
  std::string reply_;  ///< the password, where it is to be sent now
  Trouble trouble_ = Trouble::none;
  Asked asked_ = Asked::nothing;  ///< is being answered
  Asked last_ = Asked::nothing;   ///< was answered last
  Role role_ = Role::unknown;
  Instant next_status_{};
  std::string status_;
  bool status_too_long_ = false;
  StatusReport report_;
  std::string established_[3];  ///< of the client that just arrived: name, address, port
  std::uint64_t count_ = 0;
};

/// All that a session ever sends, apart from a password that it is asked for.
inline constexpr std::string_view kManagementCommands[] = {"state on all", "log on all", "status 3",
                                                           "bytecount 1"};

}  // namespace ue::openvpn
