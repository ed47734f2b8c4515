#include "web/listen.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

namespace ue::web {
namespace {

constexpr std::string_view kFlag = "--web.listen-address";

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return port;
}

std::optional<IpAddress> parse_host(std::string_view host) {
  if (host.empty()) return IpAddress::v4(0);
  if (host == "localhost") return IpAddress::v4(INADDR_LOOPBACK);
  if (host.front() == '[' && host.back() == ']') {
    const auto address = IpAddress::parse(host.substr(1, host.size() - 2));
    return address && !address->is_v4() ? address : std::nullopt;
  }
  const auto address = IpAddress::parse(host);
  return address && address->is_v4() ? address : std::nullopt;
}

std::string_view remedy(int code) {
  switch (code) {
    case EADDRINUSE:
      return "another program has the port: stop it, or choose another port";
    case EACCES:
      return "ports below 1024 need CAP_NET_BIND_SERVICE: choose a higher one";
    case EADDRNOTAVAIL:
      return "no interface of this machine has the address: choose one that `ip address` shows";
    default:
      return "choose another address";
  }
}

}  // namespace

Result<Endpoint> parse_listen_address(std::string_view text, bool ipv6) {
  const auto colon = text.rfind(':');
  const auto address = colon == text.npos ? std::nullopt : parse_host(text.substr(0, colon));
  const auto port = colon == text.npos ? std::nullopt : parse_port(text.substr(colon + 1));
  if (!address || !port) {
    return Error{
        fmt::format("{}: \"{}\" is no address to listen on: write IPv4-ADDRESS:PORT like 127.0.0.1:10177, or "
                    ":10177 for all",
                    kFlag, text)};
  }
  if (!address->is_v4() && !ipv6) {
    return Error{fmt::format(
        "{}: cannot listen on {}: this system's civetweb library is built without IPv6; listen on "
        "127.0.0.1:{} or, for all IPv4 addresses, 0.0.0.0:{}, and let systemd-socket-proxyd or a reverse "
        "proxy "
        "listen on IPv6 in front of it (deploy/examples/ipv6)",
        kFlag, text, *port, *port)};
  }
  return Endpoint{*address, *port};
}

Result<std::vector<Endpoint>> parse_listen_addresses(const std::vector<std::string>& texts, bool ipv6) {
  if (texts.empty()) return Error{fmt::format("{}: give at least one, like 127.0.0.1:10177", kFlag)};
  std::vector<Endpoint> out;
  for (const auto& text : texts) {
    const auto endpoint = parse_listen_address(text, ipv6);
    if (!endpoint) return Error{endpoint.error()};
    if (endpoint->port != 0 && std::find(out.begin(), out.end(), *endpoint) != out.end()) {
      return Error{fmt::format("{}: {} is given twice: leave one out", kFlag, text)};
    }
    out.push_back(*endpoint);
  }
  return out;
}

std::string why_not_bound(const Endpoint& endpoint) {
  sockaddr_storage address{};
  const socklen_t size = endpoint.to_sockaddr(address);
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int code = errno;
  if (fd >= 0) {
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 && listen(fd, 1) == 0;
    code = bound ? 0 : errno;
    close(fd);
  }
  if (code == 0) return {};
  return fmt::format("{}: cannot listen on {}: {}; {}", kFlag, endpoint.to_string(), std::strerror(code),
                     remedy(code));
}

void defer_accept(const std::vector<Endpoint>& listeners) {
  constexpr int kSeconds = 120;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const int fd = std::atoi(entry.path().filename().c_str());
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0) continue;
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) continue;
    if (address.ss_family != AF_INET && address.ss_family != AF_INET6) continue;
    const auto here = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address));
    if (std::find(listeners.begin(), listeners.end(), here) != listeners.end())
      setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &kSeconds, sizeof kSeconds);
  }
}

void touch(const Endpoint& endpoint) {
  sockaddr_storage address{};
  const socklen_t size = endpoint.to_sockaddr(address);  // 0.0.0.0 reaches this machine, too
  const int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  (void)connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
  (void)::send(fd, "\r\n\r\n", 4, MSG_NOSIGNAL);  // a connection that says nothing is not told of
  close(fd);
}

}  // namespace ue::web
