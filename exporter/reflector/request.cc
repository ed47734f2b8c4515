#include "reflector/request.h"

#include <algorithm>

namespace ue::reflector {

namespace {

bool all_zero(ByteView octets) {
  return std::all_of(octets.begin(), octets.end(), [](auto b) { return b == 0; });
}

}  // namespace

stamp::Mode guess_mode(ByteView datagram) {
  return all_zero(datagram.subspan(4, 12)) ? stamp::Mode::authenticated : stamp::Mode::unauthenticated;
}

bool is_request(ByteView datagram, stamp::Mode mode) {
  return mode == stamp::Mode::authenticated ? all_zero(datagram.subspan(28, 68))
                                            : all_zero(datagram.subspan(16, 28));
}

Wishes read_wishes(ByteView datagram, stamp::Mode mode) {
  Wishes wishes;
  stamp::TlvReader reader(datagram, mode);
  while (const auto tlv = reader.next()) {
    switch (static_cast<stamp::TlvType>(tlv->type)) {
      case stamp::TlvType::extra_padding:
        if (!wishes.name) wishes.name = stamp::parse_naming_padding(tlv->value);
        continue;
      case stamp::TlvType::hmac:
        wishes.has_hmac = true;
        break;
      case stamp::TlvType::flow_control:
        if (!wishes.flow) wishes.flow = stamp::FlowTlv::parse(tlv->value);
        break;
      default:
        break;
    }
    wishes.needs_hmac = true;
  }
  wishes.needs_hmac = wishes.needs_hmac || reader.malformed();
  return wishes;
}

}  // namespace ue::reflector
