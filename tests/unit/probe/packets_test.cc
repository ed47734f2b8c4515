#include "probe/packets.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace ue::probe {
namespace {

constexpr std::uint64_t kFlow = 0x1122334455667788;
constexpr std::uint16_t kSsid = 0x4321;
constexpr WallTime kTime{Nanos(1'790'000'000'000'000'000)};

Identity identity() {
  Identity id{7, 9, {}};
  id.secret.fill(0x5a);
  return id;
}

const Extras kAll{.naming = true, .location = true, .instance_id = 42};

/// What a reflector makes of a probe; changed by `touch` before the HMACs are written.
template <typename Touch>
Bytes reply_to(ByteView probe, const std::optional<Identity>& id, Touch touch) {
  const auto mode = id ? stamp::Mode::authenticated : stamp::Mode::unauthenticated;
  const auto request = stamp::parse_sender(probe, mode).value();
  stamp::ReflectorPacket base;
  base.sequence = 3;
  base.ssid = request.ssid;
  base.sender_sequence = request.sequence;
  base.sender_timestamp = request.timestamp;
  base.sender_error_estimate = request.error_estimate;
  Bytes out(stamp::base_size(mode));
  touch(base);
  stamp::encode(base, mode, out);
  if (id) stamp::sign_base(out, id->secret);
  stamp::TlvReader reader(probe, mode);
  while (const auto tlv = reader.next()) {
    if (tlv->type == static_cast<std::uint8_t>(stamp::TlvType::hmac)) {
      stamp::append_hmac_tlv(out, mode, id->secret);
      continue;
    }
    Bytes value(tlv->value.begin(), tlv->value.end());
    if (tlv->type == static_cast<std::uint8_t>(stamp::TlvType::location)) {
      put_u16(&value[2], 41234);
      value[4] = 0;
      value[5] = 8;
      put_u32(&value[8], 0xc6336401);
    }
    const auto at = out.size();
    stamp::append_tlv(out, static_cast<stamp::TlvType>(tlv->type), value);
    out[at] = 0;
  }
  return out;
}
Bytes reply_to(ByteView probe, const std::optional<Identity>& id) {
  return reply_to(probe, id, [](auto&) {});
}

Refusal refusal(ByteView datagram, const std::optional<Identity>& id, std::uint64_t flow = kFlow) {
  const auto result = parse_reply(datagram, id, kSsid, flow);
  EXPECT_TRUE(std::holds_alternative<Refusal>(result));
  return std::holds_alternative<Refusal>(result) ? std::get<Refusal>(result) : Refusal{};
}

TEST(Packets, AnOrdinaryProbeIsTheBasePacket) {
  EXPECT_EQ(build_probe({}, kFlow, kSsid, 5, kTime, {}).size(), stamp::kUnauthenticatedSize);
  const auto probe = build_probe(identity(), kFlow, kSsid, 5, kTime, {});
  EXPECT_EQ(probe.size(), stamp::kAuthenticatedSize);
  EXPECT_TRUE(stamp::verify_base(probe, identity().secret));
  const auto read = stamp::parse_sender(probe, stamp::Mode::authenticated).value();
  EXPECT_EQ(read.sequence, 5U);
  EXPECT_EQ(read.ssid, kSsid);
  EXPECT_FALSE(read.error_estimate.synchronised);
  EXPECT_LT(std::chrono::abs(read.timestamp.to_wall() - kTime), Nanos(10));
}

TEST(Packets, TheSessionIsNamedUnderTheKey) {
  const auto probe = build_probe(identity(), kFlow, kSsid, 0, kTime, kAll);
  EXPECT_TRUE(stamp::verify_hmac_tlv(probe, stamp::Mode::authenticated, identity().secret));
  const auto tlv = stamp::find_tlv(probe, stamp::Mode::authenticated, stamp::TlvType::flow_control);
  ASSERT_TRUE(tlv);
  const auto flow = stamp::FlowTlv::parse(tlv->value).value();
  EXPECT_EQ(flow.flow_id, kFlow);
  EXPECT_EQ(flow.key_id, 7U);
  EXPECT_EQ(flow.gateway_id, 9U);
  EXPECT_EQ(flow.instance_id, 42U);
  EXPECT_FALSE(flow.suppress);
}

TEST(Packets, WithoutAKeyThePaddingNamesIt) {
  const auto probe = build_probe({}, kFlow, kSsid, 0, kTime, kAll);
  const auto tlv = stamp::find_tlv(probe, stamp::Mode::unauthenticated, stamp::TlvType::extra_padding);
  ASSERT_TRUE(tlv);
  EXPECT_EQ(stamp::parse_naming_padding(tlv->value), kFlow);
  EXPECT_FALSE(stamp::find_tlv(probe, stamp::Mode::unauthenticated, stamp::TlvType::flow_control));
}

TEST(Packets, ReadsAReplyWithAndWithoutAKey) {
  for (const auto& id : {std::optional<Identity>(), std::optional(identity())}) {
    const auto result =
        parse_reply(reply_to(build_probe(id, kFlow, kSsid, 5, kTime, kAll), id), id, kSsid, kFlow);
    ASSERT_TRUE(std::holds_alternative<Reply>(result));
    const auto& reply = std::get<Reply>(result);
    EXPECT_EQ(reply.base.sender_sequence, 5U);
    EXPECT_EQ(reply.base.sequence, 3U);
    EXPECT_EQ(reply.from_ours, id.has_value());
    ASSERT_TRUE(reply.mapped_endpoint);
    EXPECT_EQ(reply.mapped_endpoint->to_string(), "198.51.100.1:41234");
  }
}

TEST(Packets, AReflectorWithoutRfc8972SendsNoSsid) {
  const auto probe = build_probe({}, kFlow, kSsid, 5, kTime, {});
  EXPECT_TRUE(std::holds_alternative<Reply>(
      parse_reply(reply_to(probe, {}, [](auto& base) { base.ssid = 0; }), {}, kSsid, kFlow)));
  EXPECT_EQ(refusal(reply_to(probe, {}, [](auto& base) { base.ssid = 1; }), {}), Refusal::wrong_ssid);
}

TEST(Packets, EveryOctetUnderTheKeyCounts) {
  const auto id = std::optional(identity());
  const auto reply = reply_to(build_probe(id, kFlow, kSsid, 5, kTime, kAll), id);
  for (std::size_t i = 0; i < reply.size(); ++i) {
    auto touched = reply;
    touched[i] ^= 1;
    const auto result = parse_reply(touched, id, kSsid, kFlow);
    // The flags and the type of the last TLV, the HMAC's own header, are under no HMAC.
    const bool own_header =
        i + stamp::kTlvHeaderSize + stamp::kHmacSize >= reply.size() && i + stamp::kHmacSize < reply.size();
    if (own_header) continue;
    ASSERT_TRUE(std::holds_alternative<Refusal>(result)) << "octet " << i;
  }
}

TEST(Packets, RefusesWhatIsNoReplyToUs) {
  const auto id = std::optional(identity());
  const auto probe = build_probe(id, kFlow, kSsid, 5, kTime, kAll);
  const auto reply = reply_to(probe, id);
  EXPECT_EQ(refusal(ByteView(reply).first(111), id), Refusal::too_short);
  EXPECT_EQ(refusal({}, id), Refusal::too_short);
  EXPECT_EQ(refusal(Bytes(1501), id), Refusal::oversized);
  EXPECT_EQ(refusal(reply, id, kFlow + 1), Refusal::wrong_flow);
  auto forged = identity();
  forged.secret.fill(1);
  EXPECT_EQ(refusal(reply_to(probe, forged), id), Refusal::bad_hmac);
  auto cut = reply;
  cut.resize(cut.size() - 20);
  EXPECT_EQ(refusal(cut, id), Refusal::bad_tlv_hmac);
  auto invalid = reply_to(build_probe({}, kFlow, kSsid, 5, kTime, {}), {});
  invalid[13] = 0;  // multiplier of the Error Estimate
  EXPECT_EQ(refusal(invalid, {}), Refusal::invalid);
}

TEST(Packets, EveryRefusalHasAName) {
  for (int r = 0; r <= static_cast<int>(Refusal::invalid); ++r) {
    const auto text = name(static_cast<Refusal>(r));
    EXPECT_FALSE(text.empty());
    EXPECT_TRUE(
        std::all_of(text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
  }
}

}  // namespace
}  // namespace ue::probe
