#pragma once
#include <optional>
#include <string_view>

namespace ue::openvpn {

/// What stands between the head and the message on a server's line about one client.
struct ClientPrefix {
  std::string_view peer;      ///< common name; empty before authentication
  std::string_view endpoint;  ///< "1.2.3.4:41000", "fd99::2" (no port before 2.7), "udp6:[fd99::2]:41000"
};

/// Cuts the prefix off `text`, with what --verb 4 and above add to it. Nothing, and `text` as it was, where
/// there is none. Without a common name any "WORD:WORD" passes for an address; after one it must look like an
/// address, since common names may hold blanks, slashes and colons. Pure; looks at the first 600 characters
/// only.
std::optional<ClientPrefix> take_client_prefix(std::string_view& text);

}  // namespace ue::openvpn
