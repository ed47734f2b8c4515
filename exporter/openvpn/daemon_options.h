#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ue::openvpn {

/// Options of an OpenVPN configuration file that begin with "management", each with its arguments:
/// "management /run/openvpn/c.sock unix", "management-signal". Pure. Quotes, comments and leading dashes are
/// taken off.
std::vector<std::string> management_options(std::string_view config);

/// Among `options`, the first that makes it dangerous to attach to the daemon or to leave it again, with what
/// would happen; nothing: none does.
std::optional<std::string> management_danger(const std::vector<std::string>& options);

/// The management options of the running daemon that listens at `address` ("unix:/path" or
/// "tcp://address:port"), from its command line and configuration files. Nothing where no such process can be
/// seen, or its files cannot be read. Reads /proc; blocks for milliseconds.
std::optional<std::vector<std::string>> running_daemon_options(const std::string& address);

}  // namespace ue::openvpn
