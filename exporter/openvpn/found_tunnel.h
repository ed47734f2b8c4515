#pragma once
#include <string>
#include <string_view>

namespace ue::openvpn {

/// What an OpenVPN configuration says of where its daemon can be watched.
struct FoundTunnel {
  std::string name;  ///< of the file, without .conf
  std::string file;
  bool server = false;
  std::string remote;  ///< a client's first; empty: none
  std::string log;
  std::string status;
  std::string journal;     ///< the systemd unit, where the daemon writes no file of its own
  std::string management;  ///< as the agent's configuration writes it; empty: none
};

/// `file` is its absolute path: relative names in it count from its directory, and the directory says which
/// of Debian's units runs it (/etc/openvpn, client/ or server/). Pure.
FoundTunnel read_tunnel_config(std::string_view text, const std::string& file);

}  // namespace ue::openvpn
