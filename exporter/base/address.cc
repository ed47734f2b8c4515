#include "base/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/bytes.h"

namespace ue {

namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/// RFC 1123 host name; a name whose last label is all digits would be taken for an address and is refused.
bool is_dns_name(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  bool last_label_numeric = true;
  std::size_t label = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    if (c == '.') {
      if (label == 0 || name[i - 1] == '-') return false;
      label = 0;
      last_label_numeric = true;
      continue;
    }
    const bool digit = c >= '0' && c <= '9';
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (!digit && !letter && (c != '-' || label == 0)) return false;
    last_label_numeric = last_label_numeric && digit;
    if (++label > 63) return false;
  }
  return label > 0 && name.back() != '-' && !last_label_numeric;
}

}  // namespace

IpAddress IpAddress::v4(std::uint32_t host_order) {
  IpAddress a;
  put_u32(a.bytes_.data(), host_order);
  return a;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin()))
    return v4(get_u32(bytes.data() + 12));
  IpAddress a;
  a.family_ = Family::ipv6;
  a.bytes_ = bytes;
  return a;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string s(text);
  if (s.find('\0') != std::string::npos) return std::nullopt;  // inet_pton would stop there
  std::array<std::uint8_t, 16> b{};
  if (inet_pton(AF_INET, s.c_str(), b.data()) == 1) return v4(get_u32(b.data()));
  if (inet_pton(AF_INET6, s.c_str(), b.data()) == 1) return v6(b);
  return std::nullopt;
}

std::uint32_t IpAddress::v4_value() const { return is_v4() ? get_u32(bytes_.data()) : 0; }

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes_.begin(), bytes_.end(), [](auto b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.begin() + 15, [](auto b) { return b == 0; });
}

bool IpAddress::is_link_local() const {
  if (is_v4()) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

bool in_prefix(const IpAddress& address, const IpAddress& network, unsigned length) {
  if (address.family() != network.family()) return false;
  const auto& a = address.bytes();
  const auto& b = network.bytes();
  const unsigned whole = length / 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  return length % 8 == 0 || ((a[whole] ^ b[whole]) >> (8 - length % 8)) == 0;
}

Endpoint Endpoint::from_sockaddr(const sockaddr* sa) {
  if (sa->sa_family == AF_INET6) {
    sockaddr_in6 in6{};
    std::memcpy(&in6, sa, sizeof in6);
    std::array<std::uint8_t, 16> b{};
    std::memcpy(b.data(), &in6.sin6_addr, b.size());
    return {IpAddress::v6(b), ntohs(in6.sin6_port)};
  }
  sockaddr_in in{};
  std::memcpy(&in, sa, sizeof in);
  return {IpAddress::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
}

socklen_t Endpoint::to_sockaddr(sockaddr_storage& out, bool as_v6) const {
  out = {};
  if (address.is_v4() && !as_v6) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    std::memcpy(&in.sin_addr, address.bytes().data(), 4);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  auto* b = reinterpret_cast<std::uint8_t*>(&in6.sin6_addr);
  if (address.is_v4()) {
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), b);
    std::memcpy(b + 12, address.bytes().data(), 4);
  } else {
    std::memcpy(b, address.bytes().data(), 16);
  }
  std::memcpy(&out, &in6, sizeof in6);
  return sizeof in6;
}

std::string Endpoint::to_string() const {
  return address.is_v4() ? fmt::format("{}:{}", address.to_string(), port)
                         : fmt::format("[{}]:{}", address.to_string(), port);
}

std::optional<HostPort> HostPort::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto digits = text.substr(colon + 1);
  auto host = text.substr(0, colon);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    const auto address = IpAddress::parse(host);
    if (host.find(':') == std::string_view::npos || !address) return std::nullopt;
  } else if (!is_dns_name(host) && (host.find(':') != std::string_view::npos || !IpAddress::parse(host))) {
    return std::nullopt;  // IPv6 needs its brackets, the mapped form too
  }
  return HostPort{std::string(host), port};
}

std::string HostPort::to_string() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

}  // namespace ue
