#pragma once
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "sender.h"

namespace ue::reflector {

/// One sender and one reflector: requests with TLVs go in, the reply's TLVs come out in hexadecimal.
struct Exchange {
  Rig rig;
  Sender sender;
  std::uint32_t sequence = 0;

  explicit Exchange(bool authenticated, bool with_key = true)
      : rig(policy(with_key)), sender{authenticated ? std::optional(kKey) : std::nullopt, 0x1234, 77} {}
  static Policy policy(bool with_key) {
    auto policy = Rig::open();
    if (with_key) policy.keys = {kKey};
    return policy;
  }
  /// The reply's TLV area for a request whose TLV area is `tlvs` octet by octet.
  std::string tlvs(const Bytes& request_tlvs) {
    auto packet = sender.base(sequence++);
    packet.insert(packet.end(), request_tlvs.begin(), request_tlvs.end());
    return answer(packet);
  }
  std::string answer(const Bytes& packet) {
    const auto reply = rig.send(sender, packet);
    if (!reply) return "none";
    EXPECT_EQ(reply->size(), packet.size());
    return to_hex(ByteView(*reply).subspan(stamp::base_size(sender.mode())));
  }
};

inline Bytes hex(std::string_view text) { return from_hex(text).value(); }

}  // namespace ue::reflector
