#pragma once
#include <cstdint>
#include <string_view>

namespace ue::openvpn {

/// What stands between the head and the message on a server's line about one client. Offsets into the line's
/// text, which fit into a register: most lines are asked no more than how long it is.
struct ClientPrefix {
  std::uint16_t begin = 0;  ///< of the common name, or of the address where there is no name yet
  std::uint16_t address = 0;
  std::uint16_t end = 0;   ///< of the address
  std::uint16_t size = 0;  ///< of everything before the message; 0: there is no prefix

  /// Common name; empty before authentication. `text` is what the prefix was found in.
  std::string_view peer(std::string_view text) const {
    return address > begin ? text.substr(begin, address - begin - 1U) : std::string_view{};
  }
  /// "1.2.3.4:41000", "fd99::2" (no port before 2.7), "udp6:[fd99::2]:41000"
  std::string_view endpoint(std::string_view text) const {
    return text.substr(address, static_cast<std::size_t>(end - address));
  }
};

/// The prefix that `text` begins with, and what --verb 4 and above add to it. Without a common name any
/// "WORD:WORD" passes for an address; after one it must look like an address, since common names may hold
/// blanks, slashes and colons. Pure; looks at the first 600 characters only.
ClientPrefix find_client_prefix(std::string_view text);

}  // namespace ue::openvpn
