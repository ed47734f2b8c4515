#pragma once
#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "uplink/netlink.h"

/// Policy rules as values, and which of them a packet of this machine meets. The kernel's answer to a
/// look-up names a table and no rule; this finds the rule again.
namespace ue::route {

/// An address block; length 0 is everything.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;

  bool covers(const IpAddress& other) const { return in_prefix(other, address, length); }
  std::string to_string() const;  ///< "192.0.2.0/24"; a single address without its length
  bool operator==(const Prefix&) const = default;
};

/// What is asked about: a packet that this machine sends by itself.
struct Query {
  IpAddress destination;
  std::uint32_t fwmark = 0;
  std::optional<IpAddress> source;
};

struct Rule {
  Family family = Family::ipv4;
  std::uint32_t priority = 0;
  std::uint8_t action = 0;   ///< FR_ACT_*
  std::uint32_t table = 0;   ///< where the action is FR_ACT_TO_TBL
  std::uint32_t target = 0;  ///< priority to go on at, where the action is FR_ACT_GOTO
  bool invert = false;
  std::optional<Prefix> from;
  std::optional<Prefix> to;
  std::uint32_t fwmark = 0;
  std::uint32_t fwmask = 0;
  std::string iif;
  std::string oif;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> uids;
  /// It selects by ports, protocol, TOS, tunnel or VRF: a packet of which no such thing is known does not
  /// meet it, in the kernel's look-up neither.
  bool selects_more = false;
  bool operator==(const Rule&) const = default;

  bool matches(const Query& query, std::uint32_t uid) const;
  /// As `ip rule` writes it: "500: to 111.222.33.44 lookup 77".
  std::string to_string() const;
};

/// Reads an RTM_NEWRULE; nothing where it is none, or malformed.
std::optional<Rule> read_rule(nlmsghdr* message);

/// All rules of both families, in the order in which the kernel tries them. Needs no privilege.
Result<std::vector<Rule>> read_rules(uplink::NetlinkSocket& socket);

/// Calls `visit` with every rule that the packet meets, in order, until it returns false or the rules end.
void walk(const std::vector<Rule>& rules, const Query& query, std::uint32_t uid,
          const std::function<bool(const Rule&)>& visit);

/// One of the three rules that every kernel begins with, which need no mention.
bool is_usual(const Rule& rule);

/// "main", "local", "default" or the number.
std::string table_name(std::uint32_t table);

}  // namespace ue::route
