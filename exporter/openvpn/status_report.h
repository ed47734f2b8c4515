#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "openvpn/tunnel_state.h"

namespace ue::openvpn {

/// One session of a server's client list. The views point into the parsed text.
struct StatusClient {
  std::string_view common_name;  ///< empty: not authenticated yet
  std::string_view
      real_address;            ///< as written: "1.2.3.4:41000", "fd99::2" (2.6, IPv6), "udp6:[fd99::2]:41000"
  std::uint64_t received = 0;  ///< octets of this session, from the client
  std::uint64_t sent = 0;
  std::string_view since;            ///< as written; with the name it tells sessions apart
  std::optional<WallTime> since_at;  ///< version 1 writes no time that has a zone
  std::string_view client_id;        ///< version 1 and OpenVPN 2.3 have none
};

/// What a status file, or the answer to `status`, says. Reused from one reading to the next.
struct StatusReport {
  Role role = Role::unknown;
  std::optional<WallTime> at;  ///< when it was written; only a server's versions 2 and 3 tell
  std::uint64_t received = 0;  ///< of a client: octets from its server since its session began
  std::uint64_t sent = 0;
  std::vector<StatusClient> clients;
};

enum class StatusFault : std::uint8_t {
  none,
  empty,        ///< after a failed write OpenVPN leaves it empty for as long as it runs
  torn,         ///< read while it was being rewritten in place
  unknown_form  ///< no status of OpenVPN 2.3 to 2.7
};
std::string_view name(StatusFault f);

/// Reads versions 1, 2 and 3 of a server, and a client's statistics. Pure; any text is safe, time is linear.
/// Columns are found by the names in the header, so that each release's set will do. A report is accepted
/// whole or not at all: after a fault `out` means nothing.
StatusFault parse_status(std::string_view text, StatusReport& out);

/// "ADDRESS:PORT" in the form in which a log writes it, or empty where `real_address` has no port.
/// `buffer` holds the result where it must be put together.
std::string_view plain_endpoint(std::string_view real_address, std::string& buffer);

}  // namespace ue::openvpn
