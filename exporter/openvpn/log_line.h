#pragma once
#include <optional>
#include <string_view>

#include "openvpn/event.h"
#include "openvpn/log_clock.h"

namespace ue::openvpn {

/// Recognises one line of an OpenVPN 2.3-2.7 log, of a client or a server, with any head. Nothing for a line
/// that tells no event (most lines). `line` has no newline; any bytes and any length are safe, and time is
/// linear in the length. Allocates nothing. The event's views point into `line`; its time needs a `clock`
/// that knows the writer's zone.
std::optional<Event> parse_log_line(std::string_view line, const LogClock& clock);

}  // namespace ue::openvpn
