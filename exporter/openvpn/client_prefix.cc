#include "openvpn/client_prefix.h"

#include <algorithm>
#include <cstring>

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

/// 0: there is none. Not rfind(), which goes from octet to octet.
std::size_t after_last_slash(std::string_view word) {
  const void* slash = memrchr(word.data(), '/', word.size());
  return slash == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(slash) - word.data()) + 1;
}

/// ":54321" at the end, as nearly every prefix has it.
bool ends_in_port(std::string_view text) {
  if (text.size() < 6) return false;
  const char* end = text.data() + text.size();
  return end[-1] >= '0' && end[-1] <= '9' &&
         ((end[-6] == ':') | (end[-5] == ':') | (end[-4] == ':') | (end[-3] == ':') | (end[-2] == ':'));
}

/// "1.2.3.4:41000", and whatever begins and ends like that.
bool is_common_address(std::string_view text) {
  return text.size() <= kMaxAddress && ends_in_port(text) && text.front() >= '0' && text.front() <= '9';
}

/// A word without a slash that has a colon inside of it, not at an end: "PLACEHOLDER:PORT", and every address
/// with a port.
bool is_opaque_address(std::string_view text) {
  if (text.empty() || text.front() == '[' || text.front() == ':') return false;
  return ends_in_port(text) || text.find(':') < text.size() - 1 || ipv4(text);
}

/// How much of `text` --verb 4 and above have added to a prefix.
std::size_t some_additions(std::string_view text) {
  constexpr std::string_view kAttempt = "Connection Attempt ";
  constexpr std::string_view kPeer = "peer-id=";
  const std::size_t at = text.starts_with(kAttempt) ? kAttempt.size() : 0;
  if (!text.substr(at).starts_with(kPeer)) return at;
  const std::string_view number = text.substr(at + kPeer.size(), 16);
  const auto blank = number.find(' ');
  return blank != number.npos && digits(number.substr(0, blank)) ? at + kPeer.size() + blank + 1 : at;
}

inline std::size_t additions(std::string_view text) {
  return text.size() > 8 && (text[0] == 'C' || text[4] == '-') ? some_additions(text) : 0;
}

}  // namespace

ClientPrefix find_client_prefix(std::string_view text) {
  const std::size_t begin = additions(text);
  const std::string_view reach = text.substr(0, begin + kMaxPrefix);
  const auto found = [&](std::size_t address, std::size_t end) {
    const std::size_t size = end + 1 + additions(text.substr(end + 1));
    return ClientPrefix{static_cast<std::uint16_t>(begin), static_cast<std::uint16_t>(address),
                        static_cast<std::uint16_t>(end), static_cast<std::uint16_t>(size)};
  };
  auto blank = reach.find(' ', begin);
  if (blank == reach.npos) return {};
  const std::string_view word = reach.substr(begin, blank - begin);
  const std::size_t last = after_last_slash(word);
  if (last == 0) {
    if (word.size() <= kMaxAddress && is_opaque_address(word)) return found(begin, blank);
  } else if (is_common_address(word.substr(last))) {
    return found(begin + last, blank);
  }
  // The common name goes up to the first slash that an address follows.
  for (auto slash = reach.find('/', begin); slash != reach.npos; slash = reach.find('/', slash + 1)) {
    if (blank < slash) blank = reach.find(' ', slash);
    if (blank == reach.npos) return {};
    const std::size_t length = blank - slash - 1;
    if (length <= kMaxAddress && is_address(reach.substr(slash + 1, length))) return found(slash + 1, blank);
  }
  return {};
}

}  // namespace ue::openvpn
