// The client's side of a management socket, against a socket of this test; the lab has the real daemon.
#include "openvpn/management_client.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>

namespace ue::openvpn {
namespace {

/// Listens where a daemon would, with OpenVPN's one place.
struct ManagementPort {
  std::string directory = (std::filesystem::temp_directory_path() / "management.XXXXXX").string();
  std::string path;
  FileHandle listening;
  FileHandle peer;

  ManagementPort() : listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    mkdtemp(directory.data());
    path = directory + "/s";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, path.size());
    EXPECT_EQ(bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listening.get(), 1), 0);
  }
  ~ManagementPort() { std::filesystem::remove_all(directory); }
  void accept() { peer = FileHandle(::accept(listening.get(), nullptr, nullptr)); }
  void say(std::string_view text) {
    ASSERT_EQ(send(peer.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  void hang_up() { peer = FileHandle(); }
};

TEST(ManagementClient, EachConnectionTellsItsHistoryAnew) {
  ManagementPort port;
  ManagementClient client("cloud", "unix:" + port.path, "");
  const ManagementSession::Sink sink{[](const Event&, Channel, bool) {}, [](std::uint64_t, std::uint64_t) {},
                                     [](const StatusReport&) {}};
  Now now{Instant(std::chrono::seconds(100)), {}, {}};
  for (std::uint64_t connection = 1; connection <= 3; ++connection) {
    client.poll(now, sink);
    port.accept();
    port.say(">INFO:OpenVPN Management Interface Version 5\r\n");
    client.poll(now, sink);
    EXPECT_TRUE(client.state().up);
    EXPECT_EQ(client.greetings(), connection);
    // Thrown out, and let in again at once: nobody listened elsewhere, and no connection was refused.
    port.hang_up();
    client.poll(now, sink);
    EXPECT_FALSE(client.state().up);
    now.mono += std::chrono::minutes(2);
  }
}

TEST(ManagementClient, WhereNobodyIsGreetedSomebodyElseHasThePlace) {
  ManagementPort port;
  ManagementClient client("cloud", "unix:" + port.path, "");
  const ManagementSession::Sink sink{[](const Event&, Channel, bool) { FAIL(); },
                                     [](std::uint64_t, std::uint64_t) {}, [](const StatusReport&) {}};
  Now now{Instant(std::chrono::seconds(100)), {}, {}};
  client.poll(now, sink);
  now.mono += std::chrono::seconds(11);
  client.poll(now, sink);
  EXPECT_EQ(client.state().errors.at("busy"), 1u);
  EXPECT_EQ(client.greetings(), 0u);
}

}  // namespace
}  // namespace ue::openvpn
