#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace ue::web {

/// "127.0.0.1:10177", "0.0.0.0:10177", ":10177" (all IPv4 addresses) or "localhost:10177"; port 0 lets the
/// kernel choose. IPv6 ("[::1]:10177") only where `ipv6`, because Debian builds civetweb without it. An error
/// names the address and what to write instead.
Result<Endpoint> parse_listen_address(std::string_view text, bool ipv6);

/// All of them; none at all, or one twice, is an error as well.
Result<std::vector<Endpoint>> parse_listen_addresses(const std::vector<std::string>& texts, bool ipv6);

/// Tries to bind, and says why that fails and what helps; empty where it succeeds.
std::string why_not_bound(const Endpoint& endpoint);

/// Has the kernel keep connections to these listeners of this process to itself until they say something, for
/// two minutes: what only stands there (a browser's spare connection) then costs no thread. civetweb does not
/// give its sockets away, so they are looked for among the open descriptors.
void defer_accept(const std::vector<Endpoint>& listeners);

/// Begins a connection to a listener of this process, says a line and drops it, which wakes whoever polls
/// there.
void touch(const Endpoint& endpoint);

}  // namespace ue::web
