// STAMP TLVs: the walk stays inside the datagram and ends, values survive a round trip, the HMAC TLV holds.
#include <algorithm>

#include "require.h"
#include "stamp/tlv.h"

using namespace ue;
using fuzz::require;

namespace {

const std::array<std::uint8_t, 32> kKey{3, 1, 4};

void value(const stamp::Tlv& tlv) {
  if (const auto flow = stamp::FlowTlv::parse(tlv.value)) {
    require(stamp::FlowTlv::parse(flow->encode()) == flow, "parse(encode(flow)) is the flow");
  }
  (void)stamp::parse_location_source(tlv.value);
  if (const auto counters = stamp::parse_direct_measurement(tlv.value)) {
    Bytes packet;
    stamp::append_direct_measurement(packet, counters->sender_tx);
    const auto again = stamp::parse_direct_measurement(ByteView(packet).subspan(stamp::kTlvHeaderSize));
    require(again && again->sender_tx == counters->sender_tx, "Direct Measurement keeps S_TxC");
  }
  if (const auto name = stamp::parse_naming_padding(tlv.value)) {
    Bytes packet;
    stamp::append_naming_padding(packet, *name);
    require(std::equal(tlv.value.begin(), tlv.value.end(), packet.begin() + stamp::kTlvHeaderSize),
            "a naming padding is written as it was read");
  }
}

void walk(ByteView datagram, stamp::Mode mode) {
  std::size_t at = stamp::base_size(mode);
  bool signed_already = false;
  stamp::TlvReader reader(datagram, mode);
  while (const auto tlv = reader.next()) {
    require(tlv->offset == at, "TLVs follow each other without a gap");
    at += stamp::kTlvHeaderSize + tlv->value.size();
    require(at <= datagram.size(), "a TLV ends inside the datagram");
    signed_already |= tlv->type == static_cast<std::uint8_t>(stamp::TlvType::hmac);
    value(*tlv);
  }
  if (datagram.size() < stamp::base_size(mode)) return;
  require(reader.malformed() || at == datagram.size(), "a well-formed walk ends where the datagram ends");
  if (reader.malformed()) {
    require(!stamp::verify_hmac_tlv(datagram, mode, kKey), "what is malformed does not verify");
  } else if (!signed_already) {
    Bytes packet(datagram.begin(), datagram.end());
    stamp::append_hmac_tlv(packet, mode, kKey);
    require(stamp::verify_hmac_tlv(packet, mode, kKey), "what was signed verifies");
    packet[0] = static_cast<std::uint8_t>(packet[0] ^ 1);
    require(!stamp::verify_hmac_tlv(packet, mode, kKey), "another Sequence Number does not verify");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  walk({data, size}, stamp::Mode::unauthenticated);
  walk({data, size}, stamp::Mode::authenticated);
  return 0;
}
