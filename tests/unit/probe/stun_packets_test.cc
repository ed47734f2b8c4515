#include "probe/stun_packets.h"

#include <gtest/gtest.h>

#include "stun/binding.h"

namespace ue::probe {
namespace {

constexpr std::uint64_t kStunFlow = 0x0123456789abcdef;

Bytes stun_answer(const Bytes& request, stun::MessageType type = stun::MessageType::binding_success) {
  const auto id = stun::parse_header(request)->transaction_id;
  auto answer = stun::begin_message(type, id);
  const std::uint8_t mapped[] = {0, 1, 0x04, 0xd2, 198, 51, 100, 7};
  stun::append_attribute(answer, static_cast<std::uint16_t>(stun::AttributeType::mapped_address), mapped);
  return answer;
}

TEST(StunPackets, AnAnswerNamesItsProbeAndOurMappedAddress) {
  const auto request = build_stun_probe(kStunFlow, 4711);
  EXPECT_EQ(request.size(), stun::kHeaderSize);
  const auto parsed = parse_stun_reply(stun_answer(request), kStunFlow);
  const auto* reply = std::get_if<Reply>(&parsed);
  ASSERT_NE(reply, nullptr);
  EXPECT_EQ(reply->base.sender_sequence, 4711U);
  EXPECT_EQ(reply->mapped_endpoint->to_string(), "198.51.100.7:1234");
  EXPECT_FALSE(reply->from_ours);
}

TEST(StunPackets, WhatAnswersAnotherQuestionIsRefused) {
  const auto request = build_stun_probe(kStunFlow, 1);
  const auto refusal = [](const std::variant<Reply, Refusal>& r) {
    const auto* why = std::get_if<Refusal>(&r);
    return why == nullptr ? std::string_view("none") : name(*why);
  };
  EXPECT_EQ(refusal(parse_stun_reply(stun_answer(request), kStunFlow + 1)), "wrong_flow");
  EXPECT_EQ(refusal(parse_stun_reply(request, kStunFlow)), "invalid");  // our own, sent back
  EXPECT_EQ(refusal(parse_stun_reply(Bytes(19), kStunFlow)), "too_short");
  EXPECT_EQ(refusal(parse_stun_reply(Bytes(44), kStunFlow)), "invalid");
}

}  // namespace
}  // namespace ue::probe
