#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "base/hmac.h"
#include "reflector/core.h"
#include "stamp/packet.h"
#include "stamp/tlv.h"

/// What the tests of this room share: keys, a session-sender that builds packets, and a core with a clock of
/// its own.
namespace ue::reflector {

inline config::Key gateway_key(std::uint32_t key_id, std::uint64_t gateway_id, std::uint8_t fill) {
  config::Key key{false, key_id, gateway_id, {}};
  key.secret.fill(fill);
  return key;
}

inline config::Key master_key(std::uint32_t key_id, std::uint8_t fill) {
  auto key = gateway_key(key_id, 0, fill);
  key.master = true;
  return key;
}

inline Endpoint endpoint(const char* address, std::uint16_t port) {
  return {*IpAddress::parse(address), port};
}

struct Sender {
  std::optional<config::Key> key;
  std::uint16_t ssid = 0x1234;
  std::uint64_t flow_id = 0;
  Endpoint source = endpoint("198.51.100.7", 41000);

  stamp::Mode mode() const { return key ? stamp::Mode::authenticated : stamp::Mode::unauthenticated; }

  Bytes base(std::uint32_t sequence) const {
    Bytes packet(stamp::base_size(mode()));
    stamp::encode(stamp::SenderPacket{sequence, {0xee000000, 7}, stamp::ErrorEstimate::decode(0x8205), ssid},
                  mode(), packet);
    if (key) stamp::sign_base(packet, key->secret);
    return packet;
  }
  stamp::FlowTlv flow() const {
    stamp::FlowTlv tlv;
    tlv.key_id = key->key_id;
    tlv.gateway_id = key->gateway_id;
    tlv.flow_id = flow_id;
    return tlv;
  }
  Bytes with_flow(std::uint32_t sequence, const stamp::FlowTlv& tlv) const {
    auto packet = base(sequence);
    stamp::append_tlv(packet, stamp::TlvType::flow_control, tlv.encode());
    stamp::append_hmac_tlv(packet, mode(), key->secret);
    return packet;
  }
  /// The packet that names the session: flow TLV, or naming padding without a key.
  Bytes named(std::uint32_t sequence) const {
    if (key) return with_flow(sequence, flow());
    auto packet = base(sequence);
    stamp::append_naming_padding(packet, flow_id);
    return packet;
  }
};

inline const config::Key kKey = gateway_key(0xa1, 0xfeed, 0x11);
inline const config::Key kOther = gateway_key(0xa1, 0xbeef, 0x22);
inline Sender keyed(std::uint64_t flow_id = 77) { return {kKey, 0x1234, flow_id}; }
inline Sender open_sender(std::uint64_t flow_id = 77) { return {std::nullopt, 0x1234, flow_id}; }

struct Rig {
  ReflectorCore core;
  Now now{Instant(std::chrono::hours(1)), WallTime(std::chrono::seconds(1'790'000'000)), {}};
  Endpoint local = endpoint("203.0.113.1", 862);
  std::uint8_t ttl = 57;
  std::uint8_t traffic_class = 0;  ///< of what is sent
  std::uint8_t replied_with = 0;   ///< of the newest reply

  explicit Rig(Policy policy) : core(std::move(policy), Instance{0xabcd, 1'789'000'000}) {}

  static Policy keyed(std::vector<config::Key> keys) {
    Policy policy;
    policy.keys = std::move(keys);
    return policy;
  }
  static Policy open() {
    Policy policy;
    policy.allow_unauthenticated = true;
    return policy;
  }

  void advance(Nanos by) {
    now.mono += by;
    now.wall += by;
  }
  std::optional<Bytes> send(const Bytes& bytes, const Endpoint& source) {
    std::array<std::uint8_t, kMaxDatagram> out{};
    const Datagram datagram{bytes, source,        local,
                            ttl,   traffic_class, now.wall - std::chrono::microseconds(30)};
    const auto reply = core.handle(now, datagram, out);
    if (!reply) return std::nullopt;
    replied_with = reply->traffic_class;
    return Bytes(reply->bytes.begin(), reply->bytes.end());
  }
  std::optional<Bytes> send(const Sender& sender, const Bytes& bytes) { return send(bytes, sender.source); }
  /// Sequence Number of the reply, nothing where none came.
  std::optional<std::uint32_t> ask(const Sender& sender, const Bytes& bytes) {
    const auto reply = send(sender, bytes);
    if (!reply) return std::nullopt;
    return stamp::parse_reflector(*reply, sender.mode()).value().sequence;
  }
  stamp::FlowReport report(const Sender& s) const {
    const Owner owner = s.key ? Owner{true, s.key->key_id, s.key->gateway_id} : Owner{};
    return core.report(now.mono, owner, s.flow_id);
  }
};

/// The packet ends as `outcome`, counted once and unanswered.
inline void expect_dropped(Rig& rig, const Bytes& packet, const Endpoint& source, Outcome outcome) {
  const auto before = rig.core.outcomes();
  EXPECT_FALSE(rig.send(packet, source)) << name(outcome);
  auto expected = before;
  ++expected[static_cast<std::size_t>(outcome)];
  EXPECT_EQ(rig.core.outcomes(), expected) << name(outcome);
}

}  // namespace ue::reflector
