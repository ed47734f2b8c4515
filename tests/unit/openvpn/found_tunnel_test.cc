#include "openvpn/found_tunnel.h"

#include <gtest/gtest.h>

namespace ue::openvpn {
namespace {

TEST(FoundTunnel, AClientThatLogsToTheJournal) {
  const auto t = read_tunnel_config(
      "client\n# remote commented.example\nremote vpn.example.net 1194\nremote second.example\n"
      "<ca>\nlog /not/an/option\n</ca>\nmanagement localhost 7505\n",
      "/etc/openvpn/client/cloud.conf");
  EXPECT_EQ(t.name, "cloud");
  EXPECT_FALSE(t.server);
  EXPECT_EQ(t.remote, "vpn.example.net");
  EXPECT_EQ(t.log, "");
  EXPECT_EQ(t.journal, "openvpn-client@cloud.service");
  EXPECT_EQ(t.status, "");
  EXPECT_EQ(t.management, "tcp://127.0.0.1:7505");
}

TEST(FoundTunnel, AServerWithFilesOfItsOwn) {
  const auto t = read_tunnel_config(
      "server 10.8.0.0 255.255.255.0\nlog-append \"/var/log/openvpn/s.log\"\nstatus s.status 10\n"
      "management /run/o.sock unix\n",
      "/etc/openvpn/server/home.conf");
  EXPECT_TRUE(t.server);
  EXPECT_EQ(t.log, "/var/log/openvpn/s.log");
  EXPECT_EQ(t.journal, "");
  EXPECT_EQ(t.status, "/etc/openvpn/server/s.status");
  EXPECT_EQ(t.management, "unix:/run/o.sock");
}

TEST(FoundTunnel, TheUnitsOwnStatusFiles) {
  EXPECT_EQ(read_tunnel_config("server 10.8.0.0 255.255.255.0", "/etc/openvpn/server/s.conf").status,
            "/run/openvpn-server/status-s.log");
  EXPECT_EQ(read_tunnel_config("client", "/etc/openvpn/c.conf").status, "/run/openvpn/c.status");
  EXPECT_EQ(read_tunnel_config("client", "/etc/openvpn/c.conf").journal, "openvpn@c.service");
}

}  // namespace
}  // namespace ue::openvpn
