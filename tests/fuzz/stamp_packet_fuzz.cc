// STAMP base packets: what is read is what was written, and a signature holds exactly for what was signed.
#include <algorithm>

#include "require.h"
#include "stamp/packet.h"

using namespace ue;
using fuzz::require;

namespace {

const std::array<std::uint8_t, 32> kKey{7, 1, 9};

template <typename Packet, typename Parse>
void round_trip(ByteView datagram, stamp::Mode mode, Parse parse) {
  const std::optional<Packet> packet = parse(datagram, mode);
  if (!packet) return;
  require(datagram.size() >= stamp::base_size(mode), "a short datagram is no packet");
  Bytes again(stamp::base_size(mode), 0xff);
  encode(*packet, mode, again);
  require(parse(ByteView(again), mode) == packet, "parse(encode(packet)) is the packet");
  require(stamp::peek_ssid(datagram, mode) == packet->ssid, "peek_ssid() is the packet's SSID");
}

void signature(ByteView datagram) {
  Bytes packet(datagram.begin(), datagram.end());
  stamp::sign_base(packet, kKey);
  require(stamp::verify_base(packet, kKey), "what was signed verifies");
  const auto bit = get_u16(datagram.data()) % (stamp::kAuthenticatedSize * 8);
  packet[bit / 8] = static_cast<std::uint8_t>(packet[bit / 8] ^ 1U << bit % 8);
  require(!stamp::verify_base(packet, kKey), "one changed bit does not verify");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView datagram(data, size);
  for (const auto mode : {stamp::Mode::unauthenticated, stamp::Mode::authenticated}) {
    round_trip<stamp::SenderPacket>(datagram, mode, stamp::parse_sender);
    round_trip<stamp::ReflectorPacket>(datagram, mode, stamp::parse_reflector);
  }
  if (size >= stamp::kAuthenticatedSize) {
    signature(datagram);
  } else {
    require(!stamp::verify_base(datagram, kKey), "a short datagram does not verify");
  }
  return 0;
}
