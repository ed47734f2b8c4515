#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "openvpn/log_clock.h"

namespace ue::openvpn {

/// What stands before OpenVPN's own words on a line, told apart but not decoded: most lines are of no
/// interest, so their time is never computed.
struct LogHead {
  enum class Form : std::uint8_t {
    none,        ///< --suppress-timestamps, journald
    ctime,       ///< 2.3, 2.4: "Mon Nov 23 08:55:38 2026 "
    iso,         ///< 2.5 and later: "2026-11-23 08:53:00 "
    machine,     ///< --machine-readable-output: "1795424932.054131 26000003 "
    syslog,      ///< "Nov 23 08:55:38 HOST openvpn[123]: "
    syslog_iso,  ///< "2026-11-23T08:55:38.123456+09:00 HOST ovpn-NAME[123]: "
  };
  Form form = Form::none;
  std::string_view stamp;  ///< the characters of the time
  std::string_view text;   ///< prefix of a server's client, if any, and message
  bool foreign = false;    ///< syslog line of another program

  /// Nothing where there is no time or it is no date.
  std::optional<LogTime> time() const;
};

/// Pure, allocates nothing, looks at the first few hundred characters only; a line of any length and content
/// will do. Takes off Access Server's wrapping ("... OUT: 'LINE'") too, and the second head of a daemon whose
/// standard output goes to syslog.
LogHead split_head(std::string_view line);

}  // namespace ue::openvpn
