#include "config/fields.h"

#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"

namespace ue::config {

namespace {

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool consists_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(),
                     [others](char c) { return is_alnum(c) || others.find(c) != std::string_view::npos; });
}

/// `text` as it is if `ok`; otherwise the error and nothing.
std::string checked(const Value& v, std::string text, bool ok, std::string_view expected) {
  if (ok || text.empty()) return text;
  v.fail_expected(expected);
  return "";
}

bool is_unicast(const IpAddress& a) {
  if (a.is_unspecified()) return false;
  return a.is_v4() ? (a.v4_value() >> 28) < 0xe
                   : a.bytes()[0] != 0xff;  // 224/4 multicast, 240/4 reserved, ff00::/8
}

/// Bits of the address beyond the first `length`.
bool has_host_bits(const IpAddress& a, unsigned length) {
  const unsigned size = a.is_v4() ? 32 : 128;
  for (unsigned bit = length; bit < size; ++bit) {
    if ((a.bytes()[bit / 8] >> (7 - bit % 8) & 1) != 0) return true;
  }
  return false;
}

std::string network_text(const IpAddress& a, unsigned length) {
  auto bytes = a.bytes();
  for (unsigned bit = length; bit < (a.is_v4() ? 32 : 128); ++bit) {
    bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] & ~(1U << (7 - bit % 8)));
  }
  const auto network = a.is_v4() ? IpAddress::v4(get_u32(bytes.data())) : IpAddress::v6(bytes);
  return fmt::format("{}/{}", network.to_string(), length);
}

template <typename Integer>
bool parse_all(std::string_view digits, Integer& out, int base = 10) {
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out, base);
  return error == std::errc() && end == digits.data() + digits.size();
}

}  // namespace

std::string read_name(const Value& v) {
  constexpr std::string_view kExpected = "a name of 1 to 63 characters out of A-Z a-z 0-9 _ . -";
  std::string s = v.text(kExpected);
  const bool ok = s.size() <= 63 && consists_of(s, "_.-");
  return checked(v, std::move(s), ok, kExpected);
}

std::string read_interface(const Value& v) {
  constexpr std::string_view kExpected =
      "an interface name of 1 to 15 characters without '/', ':' and blanks";
  std::string s = v.text(kExpected);
  const bool ok = s.size() <= 15 && s != "." && s != ".." && s.find_first_of("/: \t") == std::string::npos;
  return checked(v, std::move(s), ok, kExpected);
}

std::uint32_t read_fwmark(const Value& v) {
  constexpr std::string_view kExpected = "a mark from 0 to 0xffffffff, decimal or with 0x (without quotes)";
  const std::string s = v.text(kExpected);
  if (s.empty()) return 0;
  std::uint32_t mark = 0;
  const bool hex = s.starts_with("0x") || s.starts_with("0X");
  const bool octal = !hex && s.size() > 1 && s.front() == '0';
  const bool ok = !octal && (hex ? parse_all(std::string_view(s).substr(2), mark, 16) : parse_all(s, mark));
  if (ok && v.is_plain()) return mark;
  v.fail_expected(kExpected);
  return 0;
}

Family read_family(const Value& v) {
  static constexpr std::array<std::string_view, 2> kNames{"ipv4", "ipv6"};
  return v.one_of(kNames) == 0 ? Family::ipv4 : Family::ipv6;
}

std::optional<IpAddress> read_unicast_address(const Value& v) {
  constexpr std::string_view kExpected = "the IPv4 or IPv6 address of a host";
  const std::string s = v.text(kExpected);
  if (s.empty()) return std::nullopt;
  const auto address = IpAddress::parse(s);
  if (address && is_unicast(*address)) return address;
  v.fail_expected(kExpected);
  return std::nullopt;
}

HostPort read_host_port(const Value& v) {
  constexpr std::string_view kExpected =
      "host:port, where host is a DNS name, an IPv4 address or an IPv6 address in brackets";
  const std::string s = v.text(kExpected);
  if (s.empty()) return {};
  auto parsed = HostPort::parse(s);
  if (!parsed) {
    const bool bare = s.front() == '[' ? s.back() == ']' : s.find(':') == std::string::npos;
    parsed = bare ? HostPort::parse(s + ":1") : std::nullopt;
    if (parsed) parsed->port = 0;
  }
  const auto address = parsed ? IpAddress::parse(parsed->host) : std::nullopt;
  if (parsed && (!address || is_unicast(*address))) return *parsed;
  v.fail_expected(kExpected);
  return {};
}

HostPort read_listen_address(const Value& v) {
  constexpr std::string_view kExpected = "address:port such as 0.0.0.0:862 or \"[::]:862\" (in quotes)";
  const std::string s = v.text(kExpected);
  if (s.empty()) return {};
  const auto parsed = HostPort::parse(s);
  const auto address = parsed ? IpAddress::parse(parsed->host) : std::nullopt;
  if (address && (address->is_unspecified() || is_unicast(*address))) return *parsed;
  v.fail_expected(kExpected);
  return {};
}

std::string read_destination(const Value& v) {
  constexpr std::string_view kExpected = "an address, a prefix such as 192.0.2.0/24, or a DNS name";
  std::string s = v.text(kExpected);
  if (s.empty()) return s;
  const auto slash = s.find('/');
  const auto address = IpAddress::parse(std::string_view(s).substr(0, slash));
  if (slash == std::string::npos) {
    const bool ok =
        address ? is_unicast(*address) : s.find(':') == std::string::npos && HostPort::parse(s + ":1");
    return checked(v, std::move(s), ok, kExpected);
  }
  unsigned length = 0;
  if (!address || !parse_all(std::string_view(s).substr(slash + 1), length) ||
      length > (address->is_v4() ? 32 : 128)) {
    return checked(v, std::move(s), false, kExpected);
  }
  if (has_host_bits(*address, length)) {
    v.fail(fmt::format("{} has bits beyond its prefix; did you mean {}?", quote(s),
                       network_text(*address, length)));
  }
  return s;
}

std::string read_path(const Value& v) {
  constexpr std::string_view kExpected = "the path of a file";
  std::string s = v.text(kExpected);
  const bool ok = s.size() < 4096 && !s.ends_with('/');
  return checked(v, std::move(s), ok, kExpected);
}

std::string read_unit(const Value& v) {
  constexpr std::string_view kExpected = "a systemd unit such as openvpn-client@cloud.service";
  std::string s = v.text(kExpected);
  const bool suffix = s.ends_with(".service") || s.ends_with(".scope");
  const bool ok = suffix && s.size() <= 255 && s.front() != '.' && consists_of(s, ":-_.\\@");
  return checked(v, std::move(s), ok, kExpected);
}

std::string read_management(const Value& v) {
  constexpr std::string_view kExpected = "unix:/path/of/socket or tcp://address:port";
  std::string s = v.text(kExpected);
  bool ok = false;
  if (s.starts_with("unix:/")) {
    ok = s.size() - 5 < sizeof(sockaddr_un::sun_path) && !s.ends_with('/');
  } else if (s.starts_with("tcp://")) {
    const auto parsed = HostPort::parse(std::string_view(s).substr(6));
    const auto address = parsed ? IpAddress::parse(parsed->host) : std::nullopt;
    ok = address && is_unicast(*address);
  }
  return checked(v, std::move(s), ok, kExpected);
}

std::string read_url(const Value& v) {
  constexpr std::string_view kExpected = "a URL such as http://192.0.2.10:9093, without user name and query";
  std::string s = v.text(kExpected);
  if (s.find('@') !=
      std::string::npos) {  // not repeated in the error: there may be a password in front of it
    v.fail("user name and password have no place in this URL");
    return "";
  }
  const std::size_t scheme = s.starts_with("http://") ? 7 : s.starts_with("https://") ? 8 : 0;
  const std::string rest = s.substr(scheme);
  const std::string authority = rest.substr(0, rest.find('/'));
  const bool host = HostPort::parse(authority).has_value() || HostPort::parse(authority + ":1").has_value();
  const bool ok = scheme != 0 && host && s.find_first_of(" ?#\"<>\\") == std::string::npos;
  return checked(v, std::move(s), ok, kExpected);
}

}  // namespace ue::config
