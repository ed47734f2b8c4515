#include "openvpn/found_tunnel.h"

#include <filesystem>
#include <vector>

#include "openvpn/option_words.h"

namespace ue::openvpn {

namespace {

std::string absolute(const std::filesystem::path& directory, const std::string& name) {
  return (directory / name).lexically_normal().string();  // an absolute name replaces the directory
}

std::string management_address(const std::filesystem::path& directory,
                               const std::vector<std::string>& words) {
  if (words.size() < 3) return "";
  if (words[2] == "unix") return "unix:" + absolute(directory, words[1]);
  const auto host = words[1] == "localhost" ? "127.0.0.1" : words[1];
  return "tcp://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + words[2];
}

}  // namespace

FoundTunnel read_tunnel_config(std::string_view text, const std::string& file) {
  const std::filesystem::path path(file);
  const auto directory = path.parent_path();
  FoundTunnel tunnel;
  tunnel.name = path.stem().string();
  tunnel.file = file;
  bool inline_file = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto words = option_words(text.substr(0, end));
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    if (words.empty()) continue;
    // <ca> ... </ca>: a certificate or a key in the file itself. <connection> holds options.
    if (words[0].starts_with("</"))
      inline_file = false;
    else if (words[0].starts_with("<") && words[0] != "<connection>")
      inline_file = true;
    if (inline_file) continue;
    if (words[0] == "server" || words[0] == "server-bridge" || words[0] == "tls-server" ||
        (words[0] == "mode" && words.size() > 1 && words[1] == "server"))
      tunnel.server = true;
    if (words.size() < 2) continue;
    if (words[0] == "remote" && tunnel.remote.empty()) tunnel.remote = words[1];
    if (words[0] == "log" || words[0] == "log-append") tunnel.log = absolute(directory, words[1]);
    if (words[0] == "status") tunnel.status = absolute(directory, words[1]);
    if (words[0] == "management") tunnel.management = management_address(directory, words);
  }
  // The units' own options, as Debian ships them.
  const auto where = directory.filename();
  std::string unit = "openvpn@";
  if (where == "client") unit = "openvpn-client@";
  if (where == "server") unit = "openvpn-server@";
  if (tunnel.log.empty()) tunnel.journal = unit + tunnel.name + ".service";
  if (tunnel.status.empty() && where == "server")
    tunnel.status = "/run/openvpn-server/status-" + tunnel.name + ".log";
  if (tunnel.status.empty() && where == "openvpn") tunnel.status = "/run/openvpn/" + tunnel.name + ".status";
  return tunnel;
}

}  // namespace ue::openvpn
