#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ue {

enum class Family : std::uint8_t { ipv4, ipv6 };

/// An IPv4 or IPv6 address as a plain value. IPv4-mapped IPv6 addresses are stored as IPv4.
class IpAddress {
 public:
  IpAddress() = default;
  static IpAddress v4(std::uint32_t host_order);
  static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);
  /// Dotted IPv4 or IPv6 without brackets and without a zone; nothing for anything else.
  static std::optional<IpAddress> parse(std::string_view text);

  Family family() const { return family_; }
  bool is_v4() const { return family_ == Family::ipv4; }
  std::uint32_t v4_value() const;                                       ///< host order; 0 for IPv6
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }  ///< IPv4 in the first four
  std::uint8_t bits() const { return is_v4() ? 32 : 128; }              ///< the length of a host prefix
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_link_local() const;
  std::string to_string() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  Family family_ = Family::ipv4;
  std::array<std::uint8_t, 16> bytes_{};
};

/// True where the first `length` bits of both are the same; false between families.
bool in_prefix(const IpAddress& address, const IpAddress& network, unsigned length);

/// Address and port.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  static Endpoint from_sockaddr(const sockaddr* sa);  ///< AF_INET or AF_INET6
  /// Fills `out` and returns its length. `as_v6` writes an IPv4 address in its mapped form, for dual-stack
  /// sockets.
  socklen_t to_sockaddr(sockaddr_storage& out, bool as_v6 = false) const;
  std::string to_string() const;  ///< "192.0.2.1:862", "[2001:db8::1]:862"

  auto operator<=>(const Endpoint&) const = default;
};

/// A host (name or address) and a port as a person writes them: "vpn.example.net:862", "[2001:db8::1]:862".
struct HostPort {
  std::string host;  ///< without brackets
  std::uint16_t port = 0;

  /// Nothing unless the port is 1-65535 and the host is an address or a DNS name (RFC 1123).
  static std::optional<HostPort> parse(std::string_view text);
  std::string to_string() const;

  auto operator<=>(const HostPort&) const = default;
};

}  // namespace ue
