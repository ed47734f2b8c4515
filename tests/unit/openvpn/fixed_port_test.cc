#include "openvpn/fixed_port.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "openvpn/analysis.h"
#include "support.h"

namespace ue::openvpn {
namespace {

nlohmann::json fixed_port_analysis(const std::string& log) {
  Analysis analysis;
  analysis.feed(log);
  return nlohmann::json::parse(analysis.json());
}

constexpr const char* kNew = "10.99.0.2:5001 [a] Peer Connection Initiated with [AF_INET]10.99.0.2:5001\n";
constexpr const char* kFirstPacket =
    "a/10.99.0.2:5001 TLS: Initial packet from [AF_INET]10.99.0.2:5001, sid=1 2\n";
constexpr const char* kFirstPacket24 =
    "a/10.99.0.2:5001 TLS: new session incoming connection from [AF_INET]10.99.0.2:5001\n";
constexpr const char* kKeys =
    "a/10.99.0.2:5001 Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384\n";

TEST(FixedPort, AReturnThatTheServerDoesNotCallOneIsCounted) {
  for (const char* first : {kFirstPacket, kFirstPacket24}) {
    const auto found = fixed_port_analysis(std::string(kNew) + first + kKeys + first + kKeys);
    EXPECT_EQ(found["reconnects"], 2);
    EXPECT_EQ(found["endpoint_changes"], 0);
    EXPECT_EQ(found["clients"][0]["sessions"], 3);
    EXPECT_EQ(found["handshakes"], (nlohmann::json{{"started", 3}, {"completed", 3}, {"failed", 0}}));
  }
}

TEST(FixedPort, ASoftResetAndAHandshakeThatFailsAreNone) {
  const std::string soft =
      std::string("a/10.99.0.2:5001 TLS: soft reset sec=20/20 bytes=1/-1 pkts=2/0\n") + kKeys;
  EXPECT_EQ(fixed_port_analysis(kNew + soft)["reconnects"], 0);
  const std::string failed = std::string(kFirstPacket) + "a/10.99.0.2:5001 TLS Error: TLS handshake failed\n";
  EXPECT_EQ(fixed_port_analysis(kNew + failed + kKeys)["reconnects"], 0);
}

TEST(FixedPort, AReturnFromANewPortAfterAllIsOneReturn) {
  const std::string moved = "10.99.0.2:5002 [a] Peer Connection Initiated with [AF_INET]10.99.0.2:5002\n";
  const auto found = fixed_port_analysis(std::string(kNew) + kFirstPacket + moved + kKeys);
  EXPECT_EQ(found["reconnects"], 1);
  EXPECT_EQ(found["endpoint_changes"], 1);
}

TEST(FixedPort, OverIpv6ThePortIsInTheFirstPacketOnly) {
  const auto found = fixed_port_analysis(
      "fd99::2 [a] Peer Connection Initiated with [AF_INET6]fd99::2:5001\n"
      "a/fd99::2 TLS: Initial packet from [AF_INET6]fd99::2:5001, sid=1 2\n"
      "a/fd99::2 Control Channel: TLSv1.3, cipher x\n");
  EXPECT_EQ(found["reconnects"], 1);
  EXPECT_EQ(found["endpoint_changes"], 0);
}

}  // namespace
}  // namespace ue::openvpn
