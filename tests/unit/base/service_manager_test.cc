#include "base/service_manager.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace ue {
namespace {

/// Listens as systemd does, at an abstract address of the kernel's choice.
class Manager {
 public:
  Manager() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un any{};
    any.sun_family = AF_UNIX;
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family), 0);
    socklen_t length = sizeof any;
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&any), &length), 0);
    std::string name(any.sun_path, length - offsetof(sockaddr_un, sun_path));
    name[0] = '@';
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() {
    close(fd_);
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  std::vector<std::string> heard() {
    std::vector<std::string> all;
    char buffer[256];
    for (ssize_t n = 0; (n = recv(fd_, buffer, sizeof buffer, 0)) >= 0;)
      all.emplace_back(buffer, static_cast<std::size_t>(n));
    return all;
  }

 private:
  int fd_;
};

using Heard = std::vector<std::string>;

TEST(ServiceManager, IsToldWhatSystemdUnderstands) {
  Manager systemd;
  ServiceManager manager;
  manager.ready();
  manager.status("mansion one_way\nREADY=1");
  manager.status("mansion one_way\nREADY=1");
  manager.stopping();
  EXPECT_EQ(systemd.heard(), (Heard{"READY=1", "STATUS=mansion one_way READY=1", "STOPPING=1"}));
  EXPECT_FALSE(manager.feeding_interval());
}

TEST(ServiceManager, TheWatchdogIsFedByProgressOnly) {
  Manager systemd;
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  ServiceManager manager;
  EXPECT_EQ(manager.feeding_interval(), std::chrono::seconds(15));
  manager.feed(1.0);
  manager.feed(1.0);
  EXPECT_EQ(systemd.heard(), Heard{"WATCHDOG=1"});
  manager.feed(2.0);
  EXPECT_EQ(systemd.heard(), Heard{"WATCHDOG=1"});
}

TEST(ServiceManager, AWatchdogOfAnotherProcessIsNotOurs) {
  Manager systemd;
  setenv("WATCHDOG_USEC", "30000000", 1);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceManager().feeding_interval());
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_FALSE(ServiceManager().feeding_interval());
}

TEST(ServiceManager, NobodyIsToldWhereNobodyListens) {
  for (const char* address : {"", "@", "relative", "/nonexistent/socket"}) {
    setenv("NOTIFY_SOCKET", address, 1);
    ServiceManager manager;
    manager.ready();
    manager.feed(1);
  }
  setenv("NOTIFY_SOCKET", ("/" + std::string(200, 'x')).c_str(), 1);
  ServiceManager().ready();
  unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace ue
