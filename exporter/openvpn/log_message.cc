#include "openvpn/log_message.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace ue::openvpn {

namespace {

using Kind = Event::Kind;
constexpr std::size_t kLongestAddress = 128;

std::optional<std::uint32_t> seconds(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc() || end == text.begin()) return std::nullopt;
  return value;
}

/// "[AF_INET]10.99.0.2:45686, sid=..." -> "10.99.0.2:45686"
std::string_view address(std::string_view text) {
  if (text.starts_with("[AF_")) text.remove_prefix(std::min(text.substr(0, 16).find(']') + 1, text.size()));
  text = text.substr(0, kLongestAddress);
  return text.substr(0, text.find_first_of(" ,;"));
}

/// "ping 2" and "ping-restart 8" among other options.
void read_keepalive(std::string_view options, Event& event) {
  while (!options.empty()) {
    const auto comma = options.find(',');
    std::string_view option = options.substr(0, comma);
    options = comma == options.npos ? std::string_view{} : options.substr(comma + 1);
    if (option.starts_with(' ')) option.remove_prefix(1);
    if (option.starts_with("ping ")) event.ping = seconds(option.substr(5));
    if (option.starts_with("ping-restart ")) event.restart = seconds(option.substr(13));
  }
}

bool no_more(std::string_view rest, Event&) { return rest.empty(); }
bool anything(std::string_view, Event&) { return true; }

bool banner(std::string_view rest, Event&) { return !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; }

bool completed(std::string_view rest, Event&) { return rest.empty() || rest.starts_with(" With Errors"); }

bool endpoint(std::string_view rest, Event& event) {
  event.endpoint = address(rest);
  return !event.endpoint.empty();
}

bool link_remote(std::string_view rest, Event& event) {
  if (rest.starts_with("[AF_UNSPEC]") || rest.starts_with("[NULL]") || rest == "[undef]") {
    event.kind = Kind::listening;
    return true;
  }
  return endpoint(rest, event);
}

/// A client hears its server; on a server it is a client's first packet.
bool first_packet(std::string_view rest, Event& event) {
  if (event.of_client) event.kind = Kind::handshake_started;
  return endpoint(rest, event);
}

/// "SIGUSR1[soft,ping-restart] received, process restarting"
bool signal(std::string_view rest, Event& event) {
  if (rest.ends_with(" received, sending exit notification to peer")) {
    event.kind = Kind::exit_announced;
    return rest.find('[') == rest.npos;
  }
  const auto open = rest.find('[');
  const auto close = rest.rfind("] received, ");
  if (open == rest.npos || close == rest.npos || open > 8 || close < open) return false;
  const std::string_view origin = rest.substr(open + 1, close - open - 1);
  const std::string_view effect = rest.substr(close + 12);
  const auto comma = origin.find(',');
  if (comma == origin.npos) return false;
  event.reason = reason_from(origin.substr(comma + 1));
  if (effect == "process restarting") {
    event.kind = Kind::reconnecting;
  } else if (effect == "process exiting") {
    event.kind = Kind::exiting;
  } else {
    event.kind = Kind::client_dropped;
    return effect == "client-instance restarting" || effect == "client-instance exiting";
  }
  return true;
}

bool silent(std::string_view rest, Event&) {
  return rest.starts_with("ping-restart), restarting") || rest.starts_with("ping-exit), exiting") ||
         rest.starts_with("inactive), exiting");
}

/// "[vpn-server] Peer Connection Initiated with [AF_INET]10.99.0.1:1194": the name may hold anything.
bool bracketed_peer(std::string_view rest, Event& event) {
  constexpr std::string_view kInitiated = "] Peer Connection Initiated with ";
  constexpr std::string_view kSilent = "] Inactivity timeout (--";
  // Searched from the right: what a name imitates stands left of the real words.
  if (const auto at = rest.rfind(kInitiated); at != rest.npos) {
    event.peer = rest.substr(0, at);
    return endpoint(rest.substr(at + kInitiated.size()), event);
  }
  const auto at = rest.rfind(kSilent);
  if (at == rest.npos) return false;
  event.kind = Kind::peer_silent;
  if (rest.substr(0, at) != "UNDEF") event.peer = rest.substr(0, at);
  return silent(rest.substr(at + kSilent.size()), event);
}

/// "PUSH_REPLY,route-gateway 10.88.0.1,ping 2,ping-restart 8,...'"
bool push_reply(std::string_view rest, Event& event) {
  read_keepalive(rest, event);
  return true;
}

/// "client-one]: 'PUSH_REPLY,...' (status=1)": only a server sends these.
bool sent_control(std::string_view rest, Event& event) {
  if (const auto at = rest.find("]: 'PUSH_REPLY"); at != rest.npos) {
    event.of_client = true;
    event.peer = rest.substr(0, at);
    return push_reply(rest.substr(at + 14), event);
  }
  const auto at = rest.find("]: 'AUTH_FAILED");
  if (at == rest.npos) return false;
  event.kind = Kind::auth_failed;
  event.of_client = true;
  event.peer = rest.substr(0, at);
  return true;
}

/// "2, ping-restart 16": what the list leaves out is not in force.
bool timers(std::string_view rest, Event& event) {
  read_keepalive(rest, event);
  return true;
}

/// "1795424154,RECONNECTING,ping-restart,,,,,": only the states that no other line shows.
bool reported_state(std::string_view rest, Event& event) {
  const auto comma = rest.find(',');
  if (comma == rest.npos) return false;
  rest.remove_prefix(comma + 1);
  const std::string_view state = rest.substr(0, rest.find(','));
  if (state == "WAIT") event.state = State::wait;
  if (state == "AUTH" || state == "AUTH_PENDING" || state == "GET_CONFIG") event.state = State::auth;
  if (state == "RESOLVE" || state == "TCP_CONNECT") event.state = State::connecting;
  return event.state != State::unknown;
}

/// "client-one' will cause previous active sessions by this client to be dropped.  ..."
bool superseded(std::string_view rest, Event& event) {
  const auto end = rest.rfind("' will cause previous active sessions");
  if (end == rest.npos) return false;
  event.of_client = true;
  event.peer = rest.substr(0, end);
  return true;
}

bool connection_refused(std::string_view rest, Event& event) {
  event.endpoint = address(rest);
  return rest.find(" would exceed new connection frequency limit") != rest.npos;
}

/// "0 (client-one) floated from 10.99.0.2:38909 to [AF_INET]10.99.0.2:50001"
bool floated(std::string_view rest, Event& event) {
  if (rest.empty() || rest[0] < '0' || rest[0] > '9') return false;  // a client's "peer info: ..."
  const auto open = rest.find('(');
  const auto middle = rest.rfind(") floated from ");
  const auto to = rest.rfind(" to ");
  if (open == rest.npos || middle == rest.npos || to == rest.npos || middle < open || to < middle)
    return false;
  event.of_client = true;
  event.peer = rest.substr(open + 1, middle - open - 1);
  return endpoint(rest.substr(to + 4), event);
}

/// "UDPv4 [ECONNREFUSED]: Connection refused (fd=5,code=111)"
bool transport(std::string_view rest, Event& event) {
  const auto at = rest.rfind("code=");
  if (at == rest.npos || !(rest.starts_with("UDP") || rest.starts_with("TCP"))) return false;
  event.code = static_cast<int>(std::min(seconds(rest.substr(at + 5)).value_or(0), 4095u));
  return event.code != 0;
}

/// "tun0 opened", or after a restart with persist-tun "tun0" alone
bool device(std::string_view rest, Event& event) {
  if (rest.ends_with(" opened")) rest.remove_suffix(7);
  event.endpoint = rest;
  constexpr std::size_t kLongest = 15;  // IFNAMSIZ - 1
  return !rest.empty() && rest.size() <= kLongest && rest.find_first_of(" /:") == rest.npos;
}

/// Every message that tells something. Those with the same first letter stand together.
constexpr LogMessage kMessages[] = {
    {"AEAD Decrypt error: ", Kind::bad_packet, anything},
    {"AUTH: Received control message: AUTH_FAILED", Kind::auth_failed, anything},
    {"Authenticate/Decrypt packet error: ", Kind::bad_packet, anything},
    {"CC-EEN exit message received by peer", Kind::peer_leaving, no_more},
    {"Control Channel: ", Kind::keys_agreed, anything},
    {"DCO device ", Kind::device_opened, device},
    {"Exiting due to fatal error", Kind::exiting, no_more},
    {"Inactivity timeout (--", Kind::peer_silent, silent},
    {"Initialization Sequence Completed", Kind::connected, completed},
    {"MANAGEMENT: >STATE:", Kind::state_reported, reported_state},
    {"MULTI: Connection from ", Kind::refused, connection_refused},
    {"MULTI: multi_init called", Kind::listening, anything},
    {"MULTI: new connection by client '", Kind::client_superseded, superseded},
    {"OpenVPN ", Kind::process_started, banner},
    {"PUSH: Received control message: 'PUSH_REPLY", Kind::keepalive_pushed, push_reply},
    {"Peer Connection Initiated with ", Kind::handshake_completed, endpoint},  // static key
    {"Preserving previous TUN/TAP instance: ", Kind::device_opened, device},
    {"SENT CONTROL [", Kind::keepalive_pushed, sent_control},
    {"SIG", Kind::reconnecting, signal},
    {"TCP/UDP: Incoming packet rejected from ", Kind::wrong_reply_source, endpoint},
    {"TCP/UDP: Preserving recently used remote address: ", Kind::attempt, endpoint},
    {"TCP_CLIENT link remote: ", Kind::handshake_started, link_remote},
    {"TCP_SERVER link remote: ", Kind::listening, anything},
    {"TCPv4_CLIENT link remote: ", Kind::handshake_started, link_remote},
    {"TCPv4_SERVER link remote: ", Kind::listening, anything},
    {"TCPv6_CLIENT link remote: ", Kind::handshake_started, link_remote},
    {"TCPv6_SERVER link remote: ", Kind::listening, anything},
    {"TLS Error: TLS handshake failed", Kind::handshake_failed, no_more},
    {"TLS Error: Unroutable control packet received from ", Kind::bad_packet, endpoint},
    {"TLS Error: cannot locate HMAC in incoming packet from ", Kind::bad_packet, endpoint},
    {"TLS Error: incoming packet authentication failed from ", Kind::bad_packet, endpoint},
    {"TLS Error: local/remote TLS keys are out of sync: ", Kind::bad_packet, endpoint},
    {"TLS Error: tls-crypt unwrapping failed from ", Kind::bad_packet, endpoint},
    {"TLS: Initial packet from ", Kind::answered, first_packet},
    {"TLS: new session incoming connection from ", Kind::answered, first_packet},
    {"TLS: soft reset sec=", Kind::soft_reset, anything},
    {"TUN/TAP device ", Kind::device_opened, device},
    {"Timers: ", Kind::keepalive_effective, timers},
    {"UDP link remote: ", Kind::handshake_started, link_remote},
    {"UDPv4 link remote: ", Kind::handshake_started, link_remote},
    {"UDPv6 link remote: ", Kind::handshake_started, link_remote},
    {"VERIFY ERROR: depth=", Kind::verified, anything},
    {"VERIFY OK: depth=", Kind::verified, anything},
    {"[", Kind::handshake_completed, bracketed_peer},
    {"peer ", Kind::floated, floated},
    {"read ", Kind::transport_error, transport},
    {"write ", Kind::transport_error, transport},
};

struct Range {
  std::uint8_t begin = 0;
  std::uint8_t end = 0;
};

/// Where to look for a line: by its first letter, which says what speaks, and its fifth, which is rarely the
/// same in two of those.
constexpr std::size_t kFifth = 4;
constexpr std::size_t key_of(char fifth) { return static_cast<unsigned char>(fifth) % 32U; }

constexpr auto index_messages() {
  std::array<std::array<Range, 32>, 128> index{};
  for (std::size_t i = 0; i < std::size(kMessages); ++i) {
    const std::string_view literal = kMessages[i].literal;
    for (std::size_t key = 0; key < 32; ++key) {
      if (literal.size() > kFifth && key_of(literal[kFifth]) != key) continue;
      Range& range = index[static_cast<unsigned char>(literal[0])][key];
      if (range.end == 0) range.begin = static_cast<std::uint8_t>(i);
      range.end = static_cast<std::uint8_t>(i + 1);
    }
  }
  return index;
}
constexpr auto kIndex = index_messages();

/// No line begins with two of them.
constexpr bool each_stands_alone() {
  for (const LogMessage& one : kMessages)
    for (const LogMessage& other : kMessages)
      if (&one != &other && one.literal.starts_with(other.literal)) return false;
  return true;
}
static_assert(each_stands_alone());

}  // namespace

const LogMessage* find_log_message(std::string_view text) {
  if (text.size() <= kFifth || (text[0] & 0x80) != 0) return nullptr;
  const Range range = kIndex[static_cast<unsigned char>(text[0])][key_of(text[kFifth])];
  for (std::size_t i = range.begin; i < range.end; ++i) {
    const LogMessage& message = kMessages[i];
    // Their beginnings are alike, their ends are not: one look there spares most of the comparisons.
    const std::size_t last = message.literal.size() - 1;
    if (text.size() > last && text[last] == message.literal[last] && text.starts_with(message.literal))
      return &message;
  }
  return nullptr;
}

}  // namespace ue::openvpn
