#include "route/fib.h"

#include <linux/rtnetlink.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace ue::route {

std::optional<FibAnswer> read_fib_answer(nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWROUTE || !nlmsg_valid_hdr(message, sizeof(rtmsg))) return std::nullopt;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  std::array<nlattr*, RTA_MAX + 1> attributes{};
  if (nlmsg_parse(message, sizeof header, attributes.data(), RTA_MAX, nullptr) != 0) return std::nullopt;
  const auto number = [&](std::size_t which) -> std::optional<std::uint32_t> {
    const auto* found = attributes[which];
    if (found == nullptr || nla_len(found) < 4) return std::nullopt;
    return nla_get_u32(found);
  };
  FibAnswer answer;
  answer.table = number(RTA_TABLE).value_or(header.rtm_table);
  switch (header.rtm_type) {  // an answer may also be the refusing route itself
    case RTN_UNREACHABLE:
      answer.code = EHOSTUNREACH;
      return answer;
    case RTN_BLACKHOLE:
      answer.code = EINVAL;
      return answer;
    case RTN_PROHIBIT:
      answer.code = EACCES;
      return answer;
    case RTN_UNICAST:
      break;
    default:
      answer.local = true;
      return answer;
  }
  if (attributes[RTA_MULTIPATH] != nullptr) {
    uplink::for_each_next_hop(attributes[RTA_MULTIPATH],
                              [&](const uplink::NextHop& hop) { answer.hops.push_back(hop); });
  } else {
    answer.hops.push_back({static_cast<int>(number(RTA_OIF).value_or(0)),
                           uplink::read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA])});
  }
  return answer;
}

FibAnswer look_up(uplink::NetlinkSocket& socket, const IpAddress& destination) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(uplink::to_af(destination.family()));
  header.rtm_dst_len = destination.is_v4() ? 32 : 128;
  // The route itself, with all its next hops, not the one that a flow would be given.
  header.rtm_flags = RTM_F_FIB_MATCH;
  if (destination.is_v4()) header.rtm_flags |= RTM_F_LOOKUP_TABLE;  // IPv6 tells the table unasked
  uplink::Request request(RTM_GETROUTE, 0, header);
  request.address(RTA_DST, destination);
  std::optional<FibAnswer> answer;
  const int code = socket.transact(request, [&](nlmsghdr* m) {
    if (auto read = read_fib_answer(m)) answer = std::move(read);
  });
  if (code == 0 && answer) return *answer;
  FibAnswer refused;
  refused.code = code != 0 ? code : ENETUNREACH;
  return refused;
}

std::string table_name(std::uint32_t table) {
  if (table == RT_TABLE_MAIN) return "main";
  if (table == RT_TABLE_LOCAL) return "local";
  if (table == RT_TABLE_DEFAULT) return "default";
  return std::to_string(table);
}

std::optional<Target> Target::parse(const std::string& text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->is_v4() ? 32 : 128;
  unsigned length = most;
  if (slash != std::string::npos) {
    const auto* end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + slash + 1, end, length);
    if (fault != std::errc{} || stop != end || length > most) return std::nullopt;
  }
  return Target{*address, static_cast<std::uint8_t>(length)};
}

IpAddress Target::sample() const {
  auto bytes = address.bytes();
  if (address.is_v4()) {
    if (length >= 31) return address;
    const std::uint32_t mask = length == 0 ? 0 : ~std::uint32_t{0} << (32 - length);
    return IpAddress::v4((address.v4_value() & mask) + 1);
  }
  if (length >= 127) return address;
  for (std::size_t bit = length; bit < 128; ++bit) {
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
  bytes[15] |= 1;
  return IpAddress::v6(bytes);
}

}  // namespace ue::route
