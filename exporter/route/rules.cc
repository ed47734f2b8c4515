#include "route/rules.h"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ue::route {

namespace {

std::optional<Prefix> read_prefix(nlattr* attribute, std::uint8_t length) {
  if (length == 0) return std::nullopt;
  const auto address = uplink::read_address(attribute);
  if (!address) return std::nullopt;
  return Prefix{*address, length};
}

std::string_view action_word(std::uint8_t action) {
  switch (action) {
    case FR_ACT_BLACKHOLE:
      return "blackhole";
    case FR_ACT_UNREACHABLE:
      return "unreachable";
    case FR_ACT_PROHIBIT:
      return "prohibit";
    case FR_ACT_NOP:
      return "nop";
    default:
      return "an action unknown here";
  }
}

}  // namespace

std::string Prefix::to_string() const {
  const unsigned most = address.is_v4() ? 32 : 128;
  return length == most ? address.to_string() : fmt::format("{}/{}", address.to_string(), length);
}

bool Rule::matches(const Query& query, std::uint32_t uid) const {
  if (query.destination.family() != family || action == FR_ACT_NOP) return false;
  // A packet of our own comes in through no interface; the kernel calls it lo.
  bool met = (iif.empty() || iif == "lo") && oif.empty() && !selects_more;
  met = met && ((query.fwmark ^ fwmark) & fwmask) == 0;
  met = met && (!to || to->covers(query.destination));
  // Without a source the kernel looks up with 0.0.0.0, which no narrower selector covers.
  met = met && (!from || (query.source && from->covers(*query.source)));
  met = met && (!uids || (uid >= uids->first && uid <= uids->second));
  return met != invert;
}

std::string Rule::to_string() const {
  std::string text = fmt::format("{}:", priority);
  if (invert) text += " not";
  if (from) text += " from " + from->to_string();
  if (to) text += " to " + to->to_string();
  if (fwmark != 0 || fwmask != 0) {
    text += fwmask == 0xffffffff ? fmt::format(" fwmark {:#x}", fwmark)
                                 : fmt::format(" fwmark {:#x}/{:#x}", fwmark, fwmask);
  }
  if (!iif.empty()) text += " iif " + iif;
  if (!oif.empty()) text += " oif " + oif;
  if (uids) text += fmt::format(" uidrange {}-{}", uids->first, uids->second);
  if (action == FR_ACT_TO_TBL) return text + " lookup " + table_name(table);
  if (action == FR_ACT_GOTO) return text + fmt::format(" goto {}", target);
  return text + " " + std::string(action_word(action));
}

std::optional<Rule> read_rule(nlmsghdr* message) {
  if (message->nlmsg_type != RTM_NEWRULE || !nlmsg_valid_hdr(message, sizeof(fib_rule_hdr))) {
    return std::nullopt;
  }
  const auto& header = *static_cast<const fib_rule_hdr*>(nlmsg_data(message));
  if (header.family != AF_INET && header.family != AF_INET6) return std::nullopt;
  std::array<nlattr*, FRA_MAX + 1> a{};
  if (nlmsg_parse(message, sizeof header, a.data(), FRA_MAX, nullptr) != 0) return std::nullopt;
  const auto number = [&](std::size_t which, std::uint32_t otherwise) {
    return a[which] != nullptr && nla_len(a[which]) >= 4 ? nla_get_u32(a[which]) : otherwise;
  };
  const auto text = [&](std::size_t which) {
    if (a[which] == nullptr) return std::string();
    const auto* bytes = static_cast<const char*>(nla_data(a[which]));
    return std::string(bytes, strnlen(bytes, static_cast<std::size_t>(nla_len(a[which]))));
  };
  Rule rule;
  rule.family = header.family == AF_INET ? Family::ipv4 : Family::ipv6;
  rule.priority = number(FRA_PRIORITY, 0);
  rule.action = header.action;
  rule.table = number(FRA_TABLE, header.table);
  rule.target = number(FRA_GOTO, 0);
  rule.invert = (header.flags & FIB_RULE_INVERT) != 0;
  rule.from = read_prefix(a[FRA_SRC], header.src_len);
  rule.to = read_prefix(a[FRA_DST], header.dst_len);
  rule.fwmark = number(FRA_FWMARK, 0);
  rule.fwmask = number(FRA_FWMASK, rule.fwmark != 0 ? 0xffffffff : 0);
  rule.iif = text(FRA_IIFNAME);
  rule.oif = text(FRA_OIFNAME);
  if (a[FRA_UID_RANGE] != nullptr &&
      nla_len(a[FRA_UID_RANGE]) >= static_cast<int>(sizeof(fib_rule_uid_range))) {
    fib_rule_uid_range range{};
    std::memcpy(&range, nla_data(a[FRA_UID_RANGE]), sizeof range);
    rule.uids = std::pair(range.start, range.end);
  }
  for (const auto more : {FRA_IP_PROTO, FRA_SPORT_RANGE, FRA_DPORT_RANGE, FRA_TUN_ID}) {
    rule.selects_more = rule.selects_more || a[more] != nullptr;
  }
  rule.selects_more =
      rule.selects_more || header.tos != 0 || (a[FRA_L3MDEV] != nullptr && nla_get_u8(a[FRA_L3MDEV]) != 0);
  return rule;
}

Result<std::vector<Rule>> read_rules(uplink::NetlinkSocket& socket) {
  std::vector<Rule> rules;
  for (const auto family : {AF_INET, AF_INET6}) {
    const auto before = static_cast<std::ptrdiff_t>(rules.size());
    fib_rule_hdr header{};
    header.family = static_cast<std::uint8_t>(family);
    const int code = socket.transact(
        uplink::Request(RTM_GETRULE, NLM_F_DUMP, header),
        [&](nlmsghdr* m) {
          if (auto rule = read_rule(m)) rules.push_back(std::move(*rule));
        },
        [&] { rules.erase(rules.begin() + before, rules.end()); });
    // A kernel without policy routing, or without IPv6, has no rules; that is no failure.
    if (code != 0 && code != EOPNOTSUPP && code != EAFNOSUPPORT) {
      return errno_error("reading the policy rules from the kernel", code);
    }
  }
  return rules;
}

void walk(const std::vector<Rule>& rules, const Query& query, std::uint32_t uid,
          const std::function<bool(const Rule&)>& visit) {
  std::uint32_t skip_to = 0;
  for (const auto& rule : rules) {
    if (rule.priority < skip_to || !rule.matches(query, uid)) continue;
    if (rule.action == FR_ACT_GOTO) {
      skip_to = std::max(skip_to, rule.target);
      continue;
    }
    if (!visit(rule)) return;
  }
}

bool is_usual(const Rule& rule) {
  Rule usual;
  usual.family = rule.family;
  usual.action = FR_ACT_TO_TBL;
  constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 3> kUsual{
      {{0, RT_TABLE_LOCAL}, {32766, RT_TABLE_MAIN}, {32767, RT_TABLE_DEFAULT}}};
  return std::any_of(kUsual.begin(), kUsual.end(), [&](const auto& known) {
    usual.priority = known.first;
    usual.table = known.second;
    return rule == usual;
  });
}

std::string table_name(std::uint32_t table) {
  if (table == RT_TABLE_MAIN) return "main";
  if (table == RT_TABLE_LOCAL) return "local";
  if (table == RT_TABLE_DEFAULT) return "default";
  return std::to_string(table);
}

}  // namespace ue::route
