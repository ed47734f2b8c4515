#include "base/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace ue {

namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

}  // namespace

ServiceManager::ServiceManager() : address_(variable("NOTIFY_SOCKET")) {
  const bool abstract = address_.starts_with('@');
  if (address_.size() < 2 || address_.size() >= sizeof(sockaddr_un::sun_path) ||
      (!abstract && !address_.starts_with('/'))) {
    address_.clear();
    return;
  }
  if (abstract) address_[0] = '\0';
  socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // The time is meant for one process: not for a child that inherited the environment.
  const auto pid = variable("WATCHDOG_PID");
  const auto micros = number(variable("WATCHDOG_USEC"));
  if (micros && (pid.empty() || number(pid) == getpid())) interval_ = std::chrono::microseconds(*micros / 2);
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) close(socket_);
}

void ServiceManager::send(std::string_view message) {
  if (socket_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // Nothing depends on it; a manager that is away is told again at the next turn.
  (void)sendto(socket_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&to), length);
}

void ServiceManager::status(const std::string& text) {
  if (text == told_) return;
  told_ = text;
  std::string line = "STATUS=" + text;
  for (char& c : line) {
    if (c == '\n') c = ' ';  // a line break would begin another assignment
  }
  send(line);
}

void ServiceManager::feed(double progress) {
  if (progress_ == progress) return;
  progress_ = progress;
  send("WATCHDOG=1");
}

}  // namespace ue
