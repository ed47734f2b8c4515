#include "openvpn/client_prefix.h"

#include <algorithm>

namespace ue::openvpn {

namespace {

constexpr std::size_t kMaxPrefix = 600;  // the longest common name and address are well below it
constexpr std::size_t kMaxAddress = 100;

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "1.2.3.4" or "1.2.3.4:41000"
bool ipv4(std::string_view text) {
  std::size_t end = 0;
  int dots = 0;
  for (; end < text.size() && (text[end] == '.' || (text[end] >= '0' && text[end] <= '9')); ++end)
    dots += text[end] == '.' ? 1 : 0;
  return dots == 3 && (end == text.size() || (text[end] == ':' && digits(text.substr(end + 1))));
}

bool ipv6(std::string_view text) {
  text = text.substr(0, text.find('%'));  // zone
  if (text.ends_with(':') && !text.ends_with("::")) return false;
  return std::count(text.begin(), text.end(), ':') >= 2 && std::all_of(text.begin(), text.end(), [](char c) {
           return c == ':' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                  (c >= 'A' && c <= 'F');
         });
}

/// An address as some version prints it, with or without a port.
bool is_address(std::string_view text) {
  if (ipv4(text)) return true;
  for (const std::string_view protocol : {"udp4:", "udp6:", "tcp4-server:", "tcp6-server:", "tcp4:", "tcp6:"})
    if (text.starts_with(protocol)) {
      text.remove_prefix(protocol.size());
      break;
    }
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    return close != text.npos && ipv6(text.substr(1, close - 1)) &&
           (close + 1 == text.size() || (text[close + 1] == ':' && digits(text.substr(close + 2))));
  }
  return ipv4(text) || ipv6(text);
}

/// A word with a colon inside of it, not at an end: "PLACEHOLDER:PORT", and every address with a port.
bool is_opaque_address(std::string_view text) {
  if (text.empty() || text.front() == '[' || text.front() == ':' || text.find('/') != text.npos) return false;
  return text.find(':') < text.size() - 1 || ipv4(text);
}

void skip_additions(std::string_view& text) {
  if (text.empty() || (text[0] != 'C' && text[0] != 'p')) return;
  if (text.starts_with("Connection Attempt ")) text.remove_prefix(19);
  if (text.starts_with("peer-id=")) {
    const auto blank = text.substr(0, 24).find(' ');
    if (blank != text.npos && digits(text.substr(8, blank - 8))) text.remove_prefix(blank + 1);
  }
}

}  // namespace

std::optional<ClientPrefix> take_client_prefix(std::string_view& text) {
  std::string_view rest = text;
  skip_additions(rest);
  const std::string_view reach = rest.substr(0, kMaxPrefix);
  const auto cut = [&](std::size_t begin, std::size_t end, std::string_view peer) {
    ClientPrefix prefix{peer, rest.substr(begin, end - begin)};
    text = rest.substr(end + 1);
    skip_additions(text);
    return prefix;
  };
  const auto blank = reach.find(' ');
  if (blank != reach.npos && blank <= kMaxAddress && is_opaque_address(reach.substr(0, blank)))
    return cut(0, blank, {});
  // The common name goes up to the first slash that an address follows.
  for (auto slash = reach.find('/'); slash != reach.npos; slash = reach.find('/', slash + 1)) {
    const std::string_view after = reach.substr(slash + 1, kMaxAddress + 1);
    const auto end = after.find(' ');
    if (end != after.npos && is_address(after.substr(0, end)))
      return cut(slash + 1, slash + 1 + end, rest.substr(0, slash));
  }
  return std::nullopt;
}

}  // namespace ue::openvpn
