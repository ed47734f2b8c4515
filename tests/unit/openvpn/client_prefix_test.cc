#include "openvpn/client_prefix.h"

#include <gtest/gtest.h>

#include <string>

namespace ue::openvpn {
namespace {

struct PrefixCase {
  const char* text;
  const char* peer;
  const char* endpoint;
  const char* rest;
};

class Prefixes : public testing::TestWithParam<PrefixCase> {};

TEST_P(Prefixes, AreFound) {
  const std::string_view text = GetParam().text;
  const ClientPrefix prefix = find_client_prefix(text);
  ASSERT_GT(prefix.size, 0);
  EXPECT_EQ(prefix.peer(text), GetParam().peer);
  EXPECT_EQ(prefix.endpoint(text), GetParam().endpoint);
  EXPECT_EQ(text.substr(prefix.size), GetParam().rest);
}

INSTANTIATE_TEST_SUITE_P(
    All, Prefixes,
    testing::Values(PrefixCase{"1.2.3.4:41000 VERIFY OK", "", "1.2.3.4:41000", "VERIFY OK"},
                    PrefixCase{"cn/1.2.3.4:41000 VERIFY OK", "cn", "1.2.3.4:41000", "VERIFY OK"},
                    PrefixCase{"fd99::2 VERIFY OK", "", "fd99::2", "VERIFY OK"},
                    PrefixCase{"fd99:: VERIFY OK", "", "fd99::", "VERIFY OK"},
                    PrefixCase{"cn/fd99::2 VERIFY OK", "cn", "fd99::2", "VERIFY OK"},
                    PrefixCase{"cn/fe80::1%eth0 VERIFY OK", "cn", "fe80::1%eth0", "VERIFY OK"},
                    PrefixCase{"udp4:1.2.3.4:41000 x", "", "udp4:1.2.3.4:41000", "x"},
                    PrefixCase{"cn/udp4:1.2.3.4:41000 x", "cn", "udp4:1.2.3.4:41000", "x"},
                    PrefixCase{"cn/udp6:[fd99::2]:41000 x", "cn", "udp6:[fd99::2]:41000", "x"},
                    PrefixCase{"cn/tcp4-server:1.2.3.4:41000 x", "cn", "tcp4-server:1.2.3.4:41000", "x"},
                    PrefixCase{"cn/1.2.3.4 x", "cn", "1.2.3.4", "x"},
                    PrefixCase{"INTERMEDIATE-IP-A:PORT-M x", "", "INTERMEDIATE-IP-A:PORT-M", "x"},
                    PrefixCase{"Connection Attempt 1.2.3.4:41000 x", "", "1.2.3.4:41000", "x"},
                    PrefixCase{"udp4:1.2.3.4:41000 Connection Attempt x", "", "udp4:1.2.3.4:41000", "x"},
                    PrefixCase{"cn/1.2.3.4:41000 peer-id=12 x", "cn", "1.2.3.4:41000", "x"},
                    PrefixCase{"office/3/1.2.3.4:41000 x", "office/3", "1.2.3.4:41000", "x"},
                    PrefixCase{"office/3 b/1.2.3.4:41000 x", "office/3 b", "1.2.3.4:41000", "x"},
                    PrefixCase{"cn/1.2.3.4:5 x", "cn", "1.2.3.4:5", "x"},
                    PrefixCase{"1.2.3.4:5 x", "", "1.2.3.4:5", "x"}, PrefixCase{"a:1 x", "", "a:1", "x"},
                    PrefixCase{"my laptop/a:b/1.2.3.4:41000 x", "my laptop/a:b", "1.2.3.4:41000", "x"},
                    PrefixCase{"cn/1.2.3.4:5 MULTI: Learn: 10.88.0.2 -> cn/1.2.3.4:5", "cn", "1.2.3.4:5",
                               "MULTI: Learn: 10.88.0.2 -> cn/1.2.3.4:5"}));

class NoPrefixes : public testing::TestWithParam<std::string> {};

TEST_P(NoPrefixes, AreNotFound) { EXPECT_EQ(find_client_prefix(GetParam()).size, 0); }

INSTANTIATE_TEST_SUITE_P(
    All, NoPrefixes,
    testing::Values("TLS: soft reset sec=20/20",
                    "TCP/UDP: Preserving recently used remote address: [AF_INET]1.2.3.4:5",
                    "[vpn:server] Peer Connection Initiated with [AF_INET]1.2.3.4:5",
                    "MULTI: Learn: 10.88.0.2 -> cn/1.2.3.4:5",
                    "MULTI: primary virtual IP for cn/1.2.3.4:5: 10.88.0.2",
                    "/sbin/ip addr add dev tun0 10.8.0.2/24 broadcast + ", "", "x", "1.2.3.4:41000",
                    ":::", std::string(64 * 1024, '/'), std::string(64 * 1024, ':')));

}  // namespace
}  // namespace ue::openvpn
