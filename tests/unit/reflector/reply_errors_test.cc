#include "reflector/reply_errors.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reflector/error_queue.h"
#include "sender.h"

namespace ue::reflector {
namespace {

using namespace std::chrono_literals;

const IpAddress kCarrier = *IpAddress::parse("100.64.0.1");

/// A session that was answered once, and an ICMP error that quotes its reply.
struct Complained {
  Rig rig{Rig::keyed({kKey, kOther})};
  Sender sender = keyed(77);
  Bytes reply = *rig.send(sender, sender.named(0));

  IcmpAboutReply error(std::size_t quoted) const {
    return {3, 1, 63, kCarrier, sender.source, ByteView(reply).first(quoted)};
  }
};

TEST(ReplyErrors, AnErrorAboutAReplyIsToldToItsOwner) {
  Complained c;
  EXPECT_FALSE(c.rig.report(c.sender).icmp);
  ASSERT_TRUE(c.rig.core.note_reply_error(c.rig.now.mono, c.error(c.reply.size())));
  c.rig.advance(1500ms);
  const auto icmp = c.rig.report(c.sender).icmp;
  ASSERT_TRUE(icmp);
  EXPECT_EQ(icmp->type, 3);
  EXPECT_EQ(icmp->code, 1);
  EXPECT_EQ(icmp->ttl, 63);
  EXPECT_EQ(icmp->offender, kCarrier);
  EXPECT_EQ(icmp->ms_ago, 1500U);
  auto stranger = c.sender;
  stranger.key = kOther;
  EXPECT_FALSE(c.rig.report(stranger).icmp);
}

TEST(ReplyErrors, WhatWasNeverSentIsNotBelieved) {
  Complained c;
  for (const std::size_t quoted : {0U, 8U, 28U, 111U})
    EXPECT_FALSE(c.rig.core.note_reply_error(c.rig.now.mono, c.error(quoted))) << quoted;
  auto elsewhere = c.error(c.reply.size());
  ++elsewhere.destination.port;
  EXPECT_FALSE(c.rig.core.note_reply_error(c.rig.now.mono, elsewhere));
  c.reply[100] ^= 1;
  EXPECT_FALSE(c.rig.core.note_reply_error(c.rig.now.mono, c.error(c.reply.size()))) << "its HMAC is wrong";
  EXPECT_FALSE(c.rig.report(c.sender).icmp);
}

TEST(ReplyErrors, TheNewestOfASessionCountsAndTheirNumberIsBounded) {
  ReplyErrors errors;
  const Owner owner{true, 1, 2};
  const auto session = [&](std::uint64_t flow) { return SessionId{owner, 5, flow, {}}; };
  const auto about = [](std::uint8_t code) { return IcmpAboutReply{3, code, 63, kCarrier, {}, {}}; };
  errors.note(Instant{}, session(0), about(1));
  errors.note(Instant{} + 1s, session(0), about(3));
  EXPECT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors.find(Instant{} + 1s, owner, 0)->code, 3);
  for (std::uint64_t flow = 1; flow < ReplyErrors::kMost + 5; ++flow)
    errors.note(Instant{} + 2s, session(flow), about(1));
  EXPECT_EQ(errors.size(), ReplyErrors::kMost);
  EXPECT_FALSE(errors.find(Instant{} + 2s, owner, 0)) << "the oldest make room";
  EXPECT_FALSE(errors.find(Instant{} + 2s, owner, 4));
  EXPECT_TRUE(errors.find(Instant{} + 2s, owner, 5));
  EXPECT_TRUE(errors.find(Instant{} + 2s, owner, ReplyErrors::kMost + 4));
}

/// The kernel's own word: a closed port of this machine refuses a datagram.
TEST(ErrorQueue, AClosedPortIsReadWithTypeOffenderAndTtl) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int closed = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ASSERT_EQ(setsockopt(fd, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
  ASSERT_TRUE(keep_icmp_errors(fd, true));
  sockaddr_storage address{};
  auto size = endpoint("127.0.0.1", 0).to_sockaddr(address);
  auto* raw = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(closed, raw, size), 0);
  ASSERT_EQ(getsockname(closed, raw, &size), 0);
  close(closed);
  const Bytes payload(150, 0x5a);
  ASSERT_EQ(sendto(fd, payload.data(), payload.size(), 0, raw, size), 150);
  pollfd waiting{fd, 0, 0};
  ASSERT_EQ(poll(&waiting, 1, 10'000), 1);
  EXPECT_NE(waiting.revents & POLLERR, 0);
  EXPECT_LT(recv(fd, raw, 1, MSG_DONTWAIT), 0);
  EXPECT_TRUE(is_icmp_errno(errno));
  int told = 0;
  EXPECT_EQ(take_icmp_errors(fd, 16,
                             [&](const IcmpAboutReply& e) {
                               ++told;
                               EXPECT_EQ(e.type, 3);
                               EXPECT_EQ(e.code, 3);
                               EXPECT_EQ(e.ttl, 64);
                               EXPECT_EQ(e.offender.to_string(), "127.0.0.1");
                               EXPECT_EQ(e.destination, Endpoint::from_sockaddr(raw));
                               EXPECT_EQ(Bytes(e.reply.begin(), e.reply.end()), payload);
                             }),
            1U);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(take_icmp_errors(fd, 16, [](const IcmpAboutReply&) { ADD_FAILURE(); }), 0U);
  close(fd);
}

}  // namespace
}  // namespace ue::reflector
