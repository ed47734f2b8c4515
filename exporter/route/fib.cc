#include "route/fib.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <set>
#include <utility>

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
    uplink::for_each_next_hop(attributes[RTA_MULTIPATH], [&](const uplink::NextHop& hop) {
      if (!hop.dead) answer.hops.push_back(hop);
    });
  } else {
    answer.hops.push_back({static_cast<int>(number(RTA_OIF).value_or(0)),
                           uplink::read_gateway(attributes[RTA_GATEWAY], attributes[RTA_VIA])});
  }
  return answer;
}

namespace {

std::optional<FibAnswer> ask(uplink::NetlinkSocket& socket, const Query& query, unsigned flags, int& code) {
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(uplink::to_af(query.destination.family()));
  const unsigned char whole = query.destination.is_v4() ? 32 : 128;
  header.rtm_dst_len = whole;
  header.rtm_src_len = query.source ? whole : 0;
  header.rtm_flags = flags;
  if (query.destination.is_v4()) header.rtm_flags |= RTM_F_LOOKUP_TABLE;  // IPv6 tells the table unasked
  uplink::Request request(RTM_GETROUTE, 0, header);
  request.address(RTA_DST, query.destination);
  if (query.source) request.address(RTA_SRC, *query.source);
  if (query.fwmark != 0) request.u32(RTA_MARK, query.fwmark);
  std::optional<FibAnswer> answer;
  code = socket.transact(request, [&](nlmsghdr* m) {
    if (auto read = read_fib_answer(m)) answer = std::move(read);
  });
  return code == 0 ? answer : std::nullopt;
}

/// rtm_type and rule action of a refusal's errno.
std::pair<std::uint8_t, std::uint8_t> refusing_kind(int code) {
  switch (code) {
    case EHOSTUNREACH:
      return {RTN_UNREACHABLE, FR_ACT_UNREACHABLE};
    case EINVAL:
      return {RTN_BLACKHOLE, FR_ACT_BLACKHOLE};
    case EACCES:
      return {RTN_PROHIBIT, FR_ACT_PROHIBIT};
    default:
      return {RTN_UNSPEC, FR_ACT_UNSPEC};
  }
}

/// Tables that hold a route of this type over the destination. The kernel leaves out all others by itself.
std::set<std::uint32_t> tables_with(uplink::NetlinkSocket& socket, std::uint8_t type,
                                    const IpAddress& destination) {
  std::set<std::uint32_t> tables;
  rtmsg header{};
  header.rtm_family = static_cast<unsigned char>(uplink::to_af(destination.family()));
  header.rtm_type = type;
  (void)socket.transact(uplink::Request(RTM_GETROUTE, NLM_F_DUMP, header), [&](nlmsghdr* m) {
    if (!nlmsg_valid_hdr(m, sizeof header)) return;
    const auto& found = *static_cast<const rtmsg*>(nlmsg_data(m));
    if (found.rtm_type != type || !route_covers(m, destination)) return;
    auto* table = nlmsg_find_attr(m, sizeof header, RTA_TABLE);
    tables.insert(table != nullptr ? nla_get_u32(table) : found.rtm_table);
  });
  return tables;
}

}  // namespace

bool route_covers(nlmsghdr* message, const IpAddress& address) {
  if (!nlmsg_valid_hdr(message, sizeof(rtmsg))) return false;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(message));
  if (header.rtm_family != uplink::to_af(address.family())) return false;
  if (header.rtm_dst_len > (address.is_v4() ? 32 : 128)) return false;
  if (header.rtm_dst_len == 0) return true;
  const auto network = uplink::read_address(nlmsg_find_attr(message, sizeof header, RTA_DST));
  return network && Prefix{*network, header.rtm_dst_len}.covers(address);
}

FibAnswer look_up(uplink::NetlinkSocket& socket, const Query& query) {
  int code = 0;
  // The route itself, with all its next hops, not the one that a flow would be given.
  auto answer = ask(socket, query, RTM_F_FIB_MATCH, code);
  const bool hidden = answer && !answer->local && answer->code == 0 &&
                      std::none_of(answer->hops.begin(), answer->hops.end(),
                                   [](const auto& hop) { return hop.ifindex != 0; });
  // A next-hop object whose hops the kernel is told not to spell out: what a flow would get must do.
  if (hidden) answer = ask(socket, query, 0, code);
  if (answer) return *answer;
  FibAnswer refused;
  refused.code = code != 0 ? code : ENETUNREACH;
  return refused;
}

std::optional<Rule> deciding_rule(uplink::NetlinkSocket& socket, const std::vector<Rule>& rules,
                                  const Query& query, FibAnswer& answer) {
  if (answer.code == ENETUNREACH) return std::nullopt;  // all rules together found nothing
  const auto [type, action] = refusing_kind(answer.code);
  std::set<std::uint32_t> tables{answer.table};
  if (answer.code != 0 && answer.table == 0) tables = tables_with(socket, type, query.destination);
  std::optional<Rule> decided;
  walk(rules, query, geteuid(), [&, refusal = action](const Rule& rule) {
    const bool led = rule.action == FR_ACT_TO_TBL ? tables.count(rule.table) != 0
                                                  : answer.code != 0 && rule.action == refusal;
    if (led) decided = rule;
    return !led;
  });
  if (decided && decided->action == FR_ACT_TO_TBL) answer.table = decided->table;
  return decided;
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
