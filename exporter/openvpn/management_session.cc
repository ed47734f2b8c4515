#include "openvpn/management_session.h"

#include <array>
#include <charconv>
#include <utility>

#include "openvpn/log_line.h"

namespace ue::openvpn {

namespace {

using Kind = Event::Kind;

std::string_view cut_at(std::string_view& text, char separator) {
  const auto end = text.find(separator);
  const std::string_view part = text.substr(0, end);
  text = end == text.npos ? std::string_view{} : text.substr(end + 1);
  return part;
}

bool take_word(std::string_view& text, std::string_view start) {
  if (!text.starts_with(start)) return false;
  text.remove_prefix(start.size());
  return true;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
  if (error != std::errc() || end != text.end() || text.empty()) return std::nullopt;
  return value;
}

std::optional<WallTime> unix_time(std::string_view text) {
  const auto seconds = whole_number(text);
  if (!seconds || *seconds > 7'258'118'400) return std::nullopt;
  return WallTime(std::chrono::seconds(*seconds));
}

}  // namespace

void ManagementSession::feed(std::string_view bytes, const Sink& sink) {
  lines_.feed(bytes, [&](std::string_view text, std::size_t) { line(text, sink); });
  // The only thing that comes without an end of its line.
  if (lines_.pending() == "ENTER PASSWORD:") {
    lines_.clear();
    greeted_ = true;
    if (password_.empty()) trouble_ = Trouble::password_needed;
    if (!password_.empty()) trouble_ = password_sent_ ? Trouble::password_wrong : Trouble::none;
    if (!password_.empty() && !password_sent_) reply_ = password_ + "\n";
    password_sent_ = true;
  }
}

std::string ManagementSession::next_command(Instant now) {
  if (!reply_.empty()) return std::exchange(reply_, {});
  if (count_ == 0 || asked_ != Asked::nothing) return {};
  const bool again = last_ == Asked::bytecount || (last_ == Asked::status && role_ != Role::client);
  if (again && (role_ == Role::client || now < next_status_)) return {};
  asked_ = again ? Asked::status : static_cast<Asked>(static_cast<int>(last_) + 1);
  if (asked_ == Asked::status) next_status_ = now + kStatusEvery;
  return std::string(kManagementCommands[static_cast<std::size_t>(asked_) - 1]) + "\n";
}

void ManagementSession::line(std::string_view text, const Sink& sink) {
  if (take_word(text, "ENTER PASSWORD:") && text.empty()) return;
  if (text.empty()) return;
  if (text.starts_with("SUCCESS: password is correct")) return;
  ++count_;
  greeted_ = true;
  if (take_word(text, ">")) return notification(text, sink);
  answer(text, sink);
}

void ManagementSession::notification(std::string_view text, const Sink& sink) {
  if (take_word(text, "STATE:")) return state_line(text, false, sink);
  if (take_word(text, "LOG:")) return log_line(text, false, sink);
  if (take_word(text, "CLIENT:")) return client_line(text, sink);
  if (take_word(text, "BYTECOUNT:")) {
    const auto received = whole_number(cut_at(text, ','));
    const auto sent = whole_number(text);
    if (received && sent) sink.traffic(*received, *sent);
    return;
  }
  Event event;
  event.source = Source::management;
  if (take_word(text, "HOLD:")) {
    trouble_ = Trouble::held;
  } else if (take_word(text, "PASSWORD:")) {
    if (!text.starts_with("Verification Failed")) {
      if (text.starts_with("Need")) trouble_ = Trouble::operator_;
      return;
    }
    event.kind = Kind::auth_failed;
    sink.event(event, Channel::management_state, false);
  } else if (text.starts_with("NEED-") || text.starts_with("REMOTE:") || text.starts_with("PROXY:")) {
    trouble_ = Trouble::operator_;
  } else if (text.starts_with("FATAL:")) {
    event.kind = Kind::exiting;
    sink.event(event, Channel::management_state, false);
  }
}

void ManagementSession::answer(std::string_view text, const Sink& sink) {
  if (asked_ == Asked::nothing) return;
  if (text.starts_with("ERROR:")) return answered(sink);
  if (text.starts_with("SUCCESS:")) {
    if (asked_ == Asked::bytecount) answered(sink);
    return;
  }
  if (asked_ == Asked::status) {
    status_too_long_ = status_too_long_ || status_.size() + text.size() > kMaxAnswer;
    if (!status_too_long_) status_.append(text).append(1, '\n');
  }
  if (text == "END") return answered(sink);
  if (asked_ == Asked::state) state_line(text, true, sink);
  if (asked_ == Asked::log) log_line(text, true, sink);
}

void ManagementSession::answered(const Sink& sink) {
  last_ = std::exchange(asked_, Asked::nothing);
  if (last_ != Asked::status) return;
  if (!status_too_long_ && parse_status(status_, report_) == StatusFault::none) {
    role_ = report_.role;
    sink.status(report_);
  }
  report_.clients.clear();  // they point into the text
  status_.clear();
  status_too_long_ = false;
}

/// "1795423578,CONNECTED,SUCCESS,10.88.0.2,10.99.0.1,1194,,": five fields in 2.3, up to nine later.
void ManagementSession::state_line(std::string_view text, bool history, const Sink& sink) {
  Event event;
  event.source = Source::management;
  event.at = unix_time(cut_at(text, ','));
  if (!event.at) return;
  const std::string_view state = cut_at(text, ',');
  const std::string_view description = cut_at(text, ',');
  cut_at(text, ',');  // our address in the tunnel
  const std::string_view remote = cut_at(text, ',');
  const std::string_view port = cut_at(text, ',');
  const auto tell = [&](Kind kind, State told = State::unknown) {
    event.kind = kind;
    event.state = told;
    sink.event(event, Channel::management_state, history);
  };
  std::string endpoint;
  if (state == "CONNECTING") {
    tell(Kind::process_started);  // later attempts of the same process begin with RECONNECTING
  } else if (state == "RESOLVE" || state == "TCP_CONNECT") {
    tell(Kind::state_reported, State::connecting);
  } else if (state == "WAIT") {
    tell(Kind::handshake_started);
    tell(Kind::state_reported, State::wait);
  } else if (state == "AUTH" || state == "GET_CONFIG" || state == "AUTH_PENDING") {
    tell(Kind::state_reported, State::auth);
  } else if (state == "CONNECTED") {
    if (remote.empty()) tell(Kind::listening);  // nobody to be connected to: it is a server
    if (!remote.empty() && !port.empty()) endpoint.append(remote).append(1, ':').append(port);
    event.endpoint = endpoint;
    if (!remote.empty()) tell(Kind::handshake_completed);
    tell(Kind::connected);
  } else if (state == "RECONNECTING" || state == "EXITING") {
    event.reason = reason_from(description);
    tell(state == "EXITING" ? Kind::exiting : Kind::reconnecting);
  }
}

/// "1795423996,I,[vpn-server] Inactivity timeout (--ping-restart), restarting": a line of the log.
void ManagementSession::log_line(std::string_view text, bool history, const Sink& sink) {
  const auto at = unix_time(cut_at(text, ','));
  cut_at(text, ',');
  if (!at) return;
  auto event = parse_log_line(text, clock_);
  if (!event) return;
  event->source = Source::management;
  event->at = at;
  sink.event(*event, Channel::management_log, history);
}

/// "ESTABLISHED,1", then "ENV,common_name=client-one" and others, then "ENV,END". The environment may hold a
/// password; three values are kept, and no others looked at.
void ManagementSession::client_line(std::string_view text, const Sink& sink) {
  if (text.starts_with("ESTABLISHED,")) {
    for (std::string& value : established_) value.clear();
    established_[0].push_back('\0');  // somebody arrived, without a name so far
    return;
  }
  if (established_[0].empty() || !take_word(text, "ENV,")) return;
  if (take_word(text, "common_name=")) {
    established_[0].assign(text);
  } else if (take_word(text, "trusted_ip=") || take_word(text, "trusted_ip6=")) {
    established_[1].assign(text);
  } else if (take_word(text, "trusted_port=")) {
    established_[2].assign(text);
  } else if (text == "END") {
    const std::string endpoint = established_[1] + ":" + established_[2];
    Event event;
    event.source = Source::management;
    event.kind = Kind::handshake_completed;
    event.of_client = true;
    event.peer = established_[0];
    if (!established_[1].empty() && !established_[2].empty()) event.endpoint = endpoint;
    if (event.peer != std::string_view("\0", 1)) sink.event(event, Channel::management_client, false);
    established_[0].clear();
  }
}

}  // namespace ue::openvpn
