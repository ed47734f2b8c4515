#pragma once
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "base/address.h"

namespace ue::uplink {

/// A network namespace of its own. It ends with the last descriptor, so nothing is left behind on the
/// machine.
class Namespace {
 public:
  Namespace()
      : fd_(unshare(CLONE_NEWNET) == 0 ? ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) : -1) {}
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;
  ~Namespace() { ::close(fd_); }

  bool ok() const { return fd_ >= 0; }
  void enter() const { ASSERT_EQ(setns(fd_, CLONE_NEWNET), 0); }
  /// For `ip link ... netns PATH`.
  std::string path() const { return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

inline void run(const std::string& commands) {
  const auto script = "set -e\n" + commands;
  ASSERT_EQ(std::system(script.c_str()), 0) << commands;
}

inline void write_sysctl(const std::string& name, const std::string& value) {
  std::ofstream file("/proc/sys/net/" + name);
  file << value << std::flush;
  ASSERT_TRUE(file.good()) << name;
}

/// Waits until there is something to read or in the error queue; false after 3 s.
inline bool await(int fd) {
  pollfd p{fd, POLLIN, 0};
  return poll(&p, 1, 3000) == 1;
}

/// Waits until the kernel has told everybody that the link works, which it does a little after the fact.
inline bool await_running(const char* interface) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
  for (int tries = 0; tries < 600 && (request.ifr_flags & IFF_RUNNING) == 0; ++tries) {
    poll(nullptr, 0, tries == 0 ? 0 : 5);
    if (ioctl(fd, SIOCGIFFLAGS, &request) != 0) break;
  }
  ::close(fd);
  return (request.ifr_flags & IFF_RUNNING) != 0;
}

/// Runs `body` without privileges.
template <typename Body>
void unprivileged(Body body) {
  ASSERT_EQ(seteuid(65534), 0);
  body();
  ASSERT_EQ(seteuid(0), 0);
}

/// The seed's gateway in `home`: eth2 with the default route, eth1 with none. Both lead to `far`, which has
/// 203.0.113.10 and 2001:db8:f::1, answers on whatever interface it is asked, and forwards nothing.
class Lab : public ::testing::Test {
 protected:
  void SetUp() override {
    far_.emplace();
    home_.emplace();
    if (!far_->ok() || !home_->ok()) {
      GTEST_SKIP() << "needs CAP_SYS_ADMIN for a network namespace";
    }
    write_sysctl("ipv4/conf/all/rp_filter", "0");
    write_sysctl("ipv4/conf/default/rp_filter", "0");
    // No link-local addresses and no duplicate detection: both come late, and would be taken for changes.
    write_sysctl("ipv6/conf/default/addr_gen_mode", "1");
    write_sysctl("ipv6/conf/default/accept_dad", "0");
    run("ip link set lo up");
    for (const std::string n : {"1", "2"}) {
      run("ip link add eth" + n + " type veth peer name far" + n + " netns " + far_->path() +
          "\nip link set eth" + n + " up");
      run("ip address add 2001:db8:" + n + "::2/64 dev eth" + n + " nodad");
    }
    run("ip address add 192.168.100.2/24 dev eth1\n"
        "ip address add 123.45.0.2/24 dev eth2\n");
    in_far([] {
      write_sysctl("ipv4/conf/all/rp_filter", "0");
      write_sysctl("ipv4/conf/default/rp_filter", "0");
      write_sysctl("ipv4/conf/all/arp_ignore", "1");
      run("ip link set lo up\n"
          "ip link set far1 up\n"
          "ip link set far2 up\n"
          "ip address add 192.168.100.1/24 dev far1\n"
          "ip address add 123.45.0.1/24 dev far2\n"
          "ip address add 203.0.113.10/32 dev lo\n"
          "ip address add 203.0.113.11/32 dev lo\n"
          "ip address add 2001:db8:1::1/64 dev far1 nodad\n"
          "ip address add 2001:db8:2::1/64 dev far2 nodad\n"
          "ip address add 2001:db8:f::1/128 dev lo nodad\n");
    });
    ASSERT_TRUE(await_running("eth1") && await_running("eth2"));
    run("ip route add default via 123.45.0.1 dev eth2\n"
        "ip -6 route add default via 2001:db8:2::1 dev eth2\n");
  }

  template <typename Body>
  void in_far(Body body) {
    far_->enter();
    body();
    home_->enter();
  }

  /// A plain UDP socket of the far end.
  int far_socket(const Endpoint& local) {
    int fd = -1;
    in_far([&] {
      sockaddr_storage address{};
      const auto size = local.to_sockaddr(address);
      fd = ::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
    });
    return fd;
  }

  /// Waits for a datagram on `fd`, sends it back through `via` (default: the same socket), and says who sent
  /// it.
  static std::optional<Endpoint> echo(int fd, int via = -1) {
    if (!await(fd)) return std::nullopt;
    char buffer[2048];
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto n = recvfrom(fd, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n < 0) return std::nullopt;
    sendto(via < 0 ? fd : via, buffer, static_cast<std::size_t>(n), 0,
           reinterpret_cast<const sockaddr*>(&from), size);
    return Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&from));
  }

  static int index(const char* name) { return static_cast<int>(if_nametoindex(name)); }
  static IpAddress ip(const char* text) { return *IpAddress::parse(text); }

  std::optional<Namespace> far_;
  std::optional<Namespace> home_;  // last: it is the current one after SetUp()
};

}  // namespace ue::uplink
