#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace ue {

/// What systemd, or whoever started the program like it, is told: sd_notify(3)'s datagrams, without the
/// library. Where NOTIFY_SOCKET is not set it does nothing. Owned by a main; one thread calls it.
class ServiceManager {
 public:
  /// Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  ServiceManager();
  ~ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  void ready() { send("READY=1"); }
  void stopping() { send("STOPPING=1"); }
  /// One line for `systemctl status`; sent only where it is another than before.
  void status(const std::string& text);
  /// Keeps the watchdog quiet, but only where `progress` (a time, a count) is another than at the last call:
  /// a loop that turns and gets nothing done is no reason to live.
  void feed(double progress);
  /// How often feed() is to be called: half of what the watchdog allows. Absent: nobody watches.
  std::optional<Nanos> feeding_interval() const { return interval_; }

 private:
  void send(std::string_view message);

  int socket_ = -1;
  std::string address_;  ///< as sun_path holds it; empty: nobody listens
  std::optional<Nanos> interval_;
  std::string told_;
  std::optional<double> progress_;
};

}  // namespace ue
