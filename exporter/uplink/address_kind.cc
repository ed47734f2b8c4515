#include "uplink/address_kind.h"

#include <array>

namespace ue::uplink {

namespace {

struct Block {
  const char* network;
  unsigned length;
  std::string_view kind;
};

constexpr std::array<Block, 5> kBlocks{{{"10.0.0.0", 8, "private"},
                                        {"172.16.0.0", 12, "private"},
                                        {"192.168.0.0", 16, "private"},
                                        {"100.64.0.0", 10, "shared"},
                                        {"fc00::", 7, "private"}}};

}  // namespace

std::string_view address_kind(const IpAddress& address) {
  if (address.is_link_local()) return "link_local";
  for (const auto& block : kBlocks) {
    if (in_prefix(address, *IpAddress::parse(block.network), block.length)) return block.kind;
  }
  return "public";
}

}  // namespace ue::uplink
