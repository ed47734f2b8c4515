#include "route/conntrack_event.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <array>
#include <cstring>

#include "uplink/netlink.h"

namespace ue::route {

namespace {

/// Numbers of this protocol are in network order.
std::optional<std::uint32_t> read_u32(nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) < 4) return std::nullopt;
  std::uint32_t value = 0;
  std::memcpy(&value, nla_data(attribute), sizeof value);
  return ntohl(value);
}

template <int kMost>
bool parse_nested(std::array<nlattr*, kMost + 1>& attributes, nlattr* outer) {
  return outer != nullptr && nla_parse_nested(attributes.data(), kMost, outer, nullptr) == 0;
}

}  // namespace

std::optional<FlowEvent> read_flow_event(nlmsghdr* message) {
  if (message->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW)) return std::nullopt;
  if (!nlmsg_valid_hdr(message, sizeof(nfgenmsg))) return std::nullopt;
  std::array<nlattr*, CTA_MAX + 1> flow{};
  if (nlmsg_parse(message, sizeof(nfgenmsg), flow.data(), CTA_MAX, nullptr) != 0) return std::nullopt;
  std::array<nlattr*, CTA_TUPLE_MAX + 1> reply{};
  std::array<nlattr*, CTA_PROTO_MAX + 1> protocol{};
  std::array<nlattr*, CTA_IP_MAX + 1> addresses{};
  if (!parse_nested<CTA_TUPLE_MAX>(reply, flow[CTA_TUPLE_REPLY]) ||
      !parse_nested<CTA_PROTO_MAX>(protocol, reply[CTA_TUPLE_PROTO]) ||
      !parse_nested<CTA_IP_MAX>(addresses, reply[CTA_TUPLE_IP])) {
    return std::nullopt;
  }
  auto* number = protocol[CTA_PROTO_NUM];
  if (number == nullptr || nla_len(number) < 1 || nla_get_u8(number) != IPPROTO_UDP) return std::nullopt;
  const bool v4 = addresses[CTA_IP_V4_SRC] != nullptr;
  const auto from = uplink::read_address(addresses[v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC]);
  const auto to = uplink::read_address(addresses[v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST]);
  const auto id = read_u32(flow[CTA_ID]);
  if (!from || !to || !id) return std::nullopt;
  FlowEvent event;
  event.id = *id;
  event.begun = (message->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL)) != 0;
  event.replied = (read_u32(flow[CTA_STATUS]).value_or(0) & IPS_SEEN_REPLY) != 0;
  event.timeout = std::chrono::seconds(read_u32(flow[CTA_TIMEOUT]).value_or(0));
  event.reply_from = *from;
  event.reply_to = *to;
  return event;
}

std::vector<sock_filter> flow_filter() {
  constexpr auto kFind = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_NLATTR);
  constexpr auto kFindNested = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_NLATTR_NEST);
  constexpr std::uint32_t kAttributes = sizeof(nlmsghdr) + sizeof(nfgenmsg);
  return {
      BPF_STMT(BPF_LD | BPF_IMM, kAttributes),
      BPF_STMT(BPF_LDX | BPF_IMM, CTA_TUPLE_ORIG),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFind),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 9, 0),
      BPF_STMT(BPF_LDX | BPF_IMM, CTA_TUPLE_PROTO),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFindNested),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 6, 0),
      BPF_STMT(BPF_LDX | BPF_IMM, CTA_PROTO_NUM),
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFindNested),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
      BPF_STMT(BPF_MISC | BPF_TAX, 0),
      BPF_STMT(BPF_LD | BPF_B | BPF_IND, sizeof(nlattr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
}

}  // namespace ue::route
