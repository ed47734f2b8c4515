#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include <cstddef>

#include "base/bytes.h"
#include "uplink/kernel_events.h"

namespace ue::uplink {

namespace {

constexpr std::uint32_t kAccept = 0xffffffff;
constexpr std::uint32_t kDrop = 0;
/// Beyond this the program would be too long (4096 instructions); then every route event is let through.
constexpr std::size_t kMostAddresses = 300;

constexpr std::uint32_t kPayload = sizeof(nlmsghdr);
constexpr std::uint32_t kRouteAttributes = kPayload + sizeof(rtmsg);

// Cells of the program's own memory.
constexpr std::uint32_t kLength = 0;
constexpr std::uint32_t kDestination = 1;  // the first word, then the second
constexpr std::uint32_t kMask = 3;         // likewise

/// Assembles a program. A load gives what stands in the packet as a big-endian number; fields in the host's
/// order are compared with htons() and htonl() of the wanted value.
class Assembler {
 public:
  void load_half(std::size_t at) { add(BPF_LD | BPF_H | BPF_ABS, at); }
  void load_word(std::size_t at) { add(BPF_LD | BPF_W | BPF_ABS, at); }
  void load_byte(std::size_t at) { add(BPF_LD | BPF_B | BPF_ABS, at); }
  void load_cell(std::uint32_t cell) { add(BPF_LD | BPF_MEM, cell); }
  void store_cell(std::uint32_t cell) { add(BPF_ST, cell); }
  void index_cell(std::uint32_t cell) { add(BPF_LDX | BPF_MEM, cell); }
  void answer(std::uint32_t value) { add(BPF_RET | BPF_K, value); }
  void answer_if(std::uint32_t equals, std::uint32_t value) {
    jump(BPF_JEQ, equals, 0, 1);
    answer(value);
  }
  void jump(std::uint16_t condition, std::uint32_t k, std::uint8_t if_true, std::uint8_t if_false) {
    program_.push_back(
        sock_filter{static_cast<std::uint16_t>(BPF_JMP | condition | BPF_K), if_true, if_false, k});
  }
  void add(unsigned code, std::size_t k) {
    program_.push_back(sock_filter{static_cast<std::uint16_t>(code), 0, 0, static_cast<std::uint32_t>(k)});
  }
  /// A jump forward over what is not written yet; land() ends it.
  std::size_t leap() {
    add(BPF_JMP | BPF_JA, 0);
    return program_.size() - 1;
  }
  void land(std::size_t leap) { program_[leap].k = static_cast<std::uint32_t>(program_.size() - leap - 1); }
  std::vector<sock_filter> take() { return std::move(program_); }

 private:
  std::vector<sock_filter> program_;
};

/// Mask of word `word` of the destination, out of its prefix length.
void store_mask(Assembler& a, std::uint32_t word) {
  const std::uint32_t bits = 32 * word;
  a.load_cell(kLength);
  a.jump(BPF_JGT, bits, 2, 0);
  a.add(BPF_LD | BPF_IMM, 0);  // the prefix ends before this word: nothing of it counts
  const auto nothing = a.leap();
  a.jump(BPF_JGE, bits + 32, 4, 0);
  a.add(BPF_ALU | BPF_SUB | BPF_K, bits + 32);
  a.add(BPF_ALU | BPF_NEG, 0);
  a.add(BPF_MISC | BPF_TAX, 0);
  const auto partly = a.leap();
  a.add(BPF_LD | BPF_IMM, 0xffffffff);  // the whole word counts
  const auto whole = a.leap();
  a.land(partly);
  a.add(BPF_LD | BPF_IMM, 0xffffffff);
  a.add(BPF_ALU | BPF_LSH | BPF_X, 0);
  a.land(nothing);
  a.land(whole);
  a.store_cell(kMask + word);
}

/// Accepts a route whose one next hop is on one of these links.
void accept_links(Assembler& a, const std::vector<int>& links) {
  if (links.empty()) return;
  a.add(BPF_LDX | BPF_IMM, RTA_OIF);
  a.add(BPF_LD | BPF_IMM, kRouteAttributes);
  a.load_word(static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_NLATTR));
  a.jump(BPF_JEQ, 0, 0, 1);
  const auto to_end = a.leap();
  a.add(BPF_MISC | BPF_TAX, 0);
  a.add(BPF_LD | BPF_W | BPF_IND, sizeof(nlattr));
  for (const int link : links) a.answer_if(htonl(static_cast<std::uint32_t>(link)), kAccept);
  a.land(to_end);
}

/// Ends the program: accepts where the first `words` words of the destination cover an address of `family`.
/// Of IPv6 the first 64 bits are compared, which is enough to be rare.
void compare(Assembler& a, const std::vector<IpAddress>& addresses, Family family) {
  const std::uint32_t words = family == Family::ipv4 ? 1 : 2;
  a.add(BPF_LDX | BPF_IMM, RTA_DST);
  a.add(BPF_LD | BPF_IMM, kRouteAttributes);
  a.load_word(static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_NLATTR));
  a.answer_if(0, kAccept);  // malformed: not for this program to judge
  a.add(BPF_MISC | BPF_TAX, 0);
  for (std::uint32_t word = 0; word < words; ++word) {
    a.add(BPF_LD | BPF_W | BPF_IND, sizeof(nlattr) + std::size_t{4} * word);
    a.store_cell(kDestination + word);
  }
  for (std::uint32_t word = 0; word < words; ++word) store_mask(a, word);
  for (const auto& address : addresses) {
    if (address.family() != family) continue;
    for (std::uint32_t word = 0; word < words; ++word) {
      a.load_cell(kDestination + word);
      a.add(BPF_ALU | BPF_XOR | BPF_K, get_u32(address.bytes().data() + std::size_t{4} * word));
      a.index_cell(kMask + word);
      a.add(BPF_ALU | BPF_AND | BPF_X, 0);
      // Another: on to the next address, over the rest of this one.
      a.jump(BPF_JEQ, 0, 0, static_cast<std::uint8_t>(word + 1 < words ? 6 : 1));
    }
    a.answer(kAccept);
  }
  a.answer(kDrop);
}

}  // namespace

std::vector<sock_filter> event_filter(const Interest& interest) {
  Assembler a;
  constexpr std::size_t kType = offsetof(nlmsghdr, nlmsg_type);
  // Short jumps reach 255 instructions only; each section is entered by a leap.
  a.load_half(kType);
  a.jump(BPF_JEQ, htons(RTM_NEWNEIGH), 1, 0);
  a.jump(BPF_JEQ, htons(RTM_DELNEIGH), 0, 1);
  const auto to_neighbours = a.leap();
  a.jump(BPF_JEQ, htons(RTM_NEWROUTE), 1, 0);
  a.jump(BPF_JEQ, htons(RTM_DELROUTE), 0, 1);
  const auto to_routes = a.leap();
  a.answer(kAccept);

  a.land(to_neighbours);
  a.load_word(kPayload + offsetof(ndmsg, ndm_ifindex));
  for (const int link : interest.neighbour_links)
    a.answer_if(htonl(static_cast<std::uint32_t>(link)), kAccept);
  a.answer(kDrop);

  a.land(to_routes);
  if (interest.destinations.size() > kMostAddresses || interest.tunnel_links.size() > kMostAddresses) {
    a.answer(kAccept);
    return a.take();
  }
  a.load_byte(kPayload + offsetof(rtmsg, rtm_dst_len));
  a.answer_if(0, kAccept);
  a.store_cell(kLength);
  accept_links(a, interest.tunnel_links);
  a.load_byte(kPayload + offsetof(rtmsg, rtm_family));
  a.jump(BPF_JEQ, AF_INET, 0, 1);
  const auto to_v4 = a.leap();
  a.load_cell(kLength);
  a.answer_if(3, kAccept);  // 2000::/3, which some take for a default route
  compare(a, interest.destinations, Family::ipv6);
  a.land(to_v4);
  compare(a, interest.destinations, Family::ipv4);
  return a.take();
}

}  // namespace ue::uplink
