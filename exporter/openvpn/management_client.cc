#include "openvpn/management_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/address.h"
#include "base/log.h"
#include "base/result.h"
#include "config/file.h"
#include "openvpn/daemon_options.h"

namespace ue::openvpn {

namespace {

constexpr std::size_t kBudget = 1024 * 1024;  // octets in one poll
constexpr Nanos kLongestPause = std::chrono::minutes(1);
constexpr Nanos kRefusedPause = std::chrono::minutes(5);  // until somebody has changed a file
constexpr std::size_t kLongestPassword = 4096;            // octets of its file
constexpr Nanos kGreeting = std::chrono::seconds(10);

struct Target {
  sockaddr_storage address{};
  socklen_t size = 0;
};

std::optional<Target> target_of(const std::string& address) {
  Target target;
  if (address.starts_with("unix:")) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    const std::string path = address.substr(5);
    if (path.size() >= sizeof un.sun_path) return std::nullopt;
    path.copy(un.sun_path, path.size());
    std::copy_n(reinterpret_cast<const char*>(&un), sizeof un, reinterpret_cast<char*>(&target.address));
    target.size = sizeof un;
    return target;
  }
  const auto parsed = HostPort::parse(std::string_view(address).substr(6));
  const auto ip = parsed ? IpAddress::parse(parsed->host) : std::nullopt;
  if (!ip) return std::nullopt;
  target.size = Endpoint{*ip, parsed->port}.to_sockaddr(target.address);
  return target;
}

}  // namespace

ManagementClient::ManagementClient(std::string tunnel, std::string address, std::string password_file)
    : tunnel_(std::move(tunnel)), address_(std::move(address)), password_file_(std::move(password_file)) {}

bool ManagementClient::poll(const Now& now, const ManagementSession::Sink& sink) {
  if (!socket_ && now.mono >= next_try_) connect(now, sink);
  if (!socket_ || (connecting_ && !await_connection())) {
    if (socket_) judge(now);
    return false;
  }
  std::size_t budget = kBudget;
  if (!read_some(sink, budget)) {
    lose("closed", address_ + " was closed: OpenVPN has left, or somebody else's client replaced ours", now);
    return false;
  }
  ask(now.mono);
  judge(now);
  return budget == 0;
}

void ManagementClient::connect(const Now& now, const ManagementSession::Sink& sink) {
  next_try_ = now.mono + pause_;
  pause_ = std::min(pause_ * 2, kLongestPause);
  if (const auto options = running_daemon_options(address_)) {
    if (const auto danger = management_danger(*options)) {
      next_try_ = now.mono + kRefusedPause;
      return fail("dangerous", "not attached to " + address_ + ", because of the daemon's own " + *danger +
                                   ". Use `log` and `status` for this tunnel, or take the option out");
    }
  }
  std::string password;
  if (!password_file_.empty()) {
    const auto text = config::read_file(password_file_, kLongestPassword);
    if (text) password = text->substr(0, text->find_first_of("\r\n"));
    if (password.empty())
      return fail("password", password_file_ +
                                  " cannot be read or is empty; its first line is the password of the "
                                  "management socket");
  }
  const auto target = target_of(address_);
  FileHandle socket(
      ::socket(target ? target->address.ss_family : AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!target || !socket) return fail("connect", address_ + " cannot be connected to");
  const int result =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&target->address), target->size);
  const int code = result == 0 ? 0 : errno;
  const std::string why = errno_error(address_, code).message;
  if (code == EAGAIN)
    return fail("busy", address_ + " is busy: somebody else's client is connected, and one more waits");
  if ((code == ENOENT || code == ECONNREFUSED) && std::exchange(attached_, false)) {
    Event gone;  // it was there, and left without a word: killed
    gone.kind = Event::Kind::exiting;
    gone.source = Source::management;
    sink.event(gone, Channel::management_state, false);
  }
  if (code == ENOENT)
    return fail("missing", why + ". Start OpenVPN, or name the socket of its `management PATH unix`");
  if (code == EACCES || code == EPERM)
    return fail("permission", why +
                                  ". Let the exporter's user write to the socket (OpenVPN's "
                                  "--management-client-group, or its umask)");
  if (code == ECONNREFUSED) return fail("refused", why + ": nobody listens there; OpenVPN does not run");
  if (code != 0 && code != EINPROGRESS) return fail("connect", why);
  socket_ = std::move(socket);
  connecting_ = code == EINPROGRESS;
  session_.emplace(std::move(password));
  opened_ = now.mono;
  heard_ = false;
}

bool ManagementClient::await_connection() {
  pollfd ready{socket_.get(), POLLOUT, 0};
  if (::poll(&ready, 1, 0) <= 0) return false;
  connecting_ = false;  // an error shows when reading
  return true;
}

/// False: the connection has ended.
bool ManagementClient::read_some(const ManagementSession::Sink& sink, std::size_t& budget) {
  char buffer[16 * 1024];
  while (budget > 0) {
    const ssize_t n = recv(socket_.get(), buffer, std::min(sizeof buffer, budget), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN;
    if (n == 0) return false;
    if (!std::exchange(heard_, true)) ++greetings_;  // before it tells its history
    attached_ = true;
    session_->feed(std::string_view(buffer, static_cast<std::size_t>(n)), sink);
    budget -= static_cast<std::size_t>(n);
  }
  return true;
}

void ManagementClient::ask(Instant now) {
  const std::string command = session_->next_command(now);
  if (command.empty()) return;
  // A few octets into an empty buffer of the kernel; where that fails the connection has ended.
  if (send(socket_.get(), command.data(), command.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
    log::debug("OPENVPN_MANAGEMENT_SEND", "tunnel {}: {}", tunnel_, errno_error(address_, errno).message);
}

void ManagementClient::judge(const Now& now) {
  using Trouble = ManagementSession::Trouble;
  state_.lines = lines_before_ + session_->lines();
  switch (session_->trouble()) {
    case Trouble::password_needed:
      return lose("password",
                  address_ + " asks for a password; name its file with `management_password_file`", now);
    case Trouble::password_wrong:
      return lose("password", address_ + " refused the password in " + password_file_, now);
    case Trouble::held:
      return lose("hold",
                  address_ +
                      " is held (--management-hold) until somebody lets it start; this exporter never "
                      "does. Use `log` and `status` for this tunnel",
                  now);
    case Trouble::operator_:  // leaving now would make the daemon exit
      return fail("operator", address_ +
                                  ": OpenVPN waits for a password or a decision from its management client. "
                                  "This exporter gives none; use `log` and `status` for this tunnel");
    case Trouble::none:
      break;
  }
  if (!session_->greeted()) {
    if (now.mono - opened_ > kGreeting)
      fail("busy",
           address_ +
               " is silent: OpenVPN talks to one management client only, and another one is connected. "
               "Waiting for it to leave");
    return;
  }
  if (state_.rise()) log::info("OPENVPN_MANAGEMENT_ATTACHED", "tunnel {}: attached to {}", tunnel_, address_);
  pause_ = std::chrono::seconds(1);
}

void ManagementClient::lose(std::string_view reason, std::string remedy, const Now& now) {
  socket_ = FileHandle();
  lines_before_ += session_ ? session_->lines() : 0;
  session_.reset();
  connecting_ = false;
  next_try_ = now.mono + (reason == "closed" ? pause_ : kRefusedPause);
  fail(reason, std::move(remedy));
}

void ManagementClient::fail(std::string_view reason, std::string remedy) {
  if (!state_.fall(reason, std::move(remedy))) return;
  log::warn("OPENVPN_MANAGEMENT_DOWN", "tunnel {}: {}", tunnel_, state_.remedy);
}

}  // namespace ue::openvpn
