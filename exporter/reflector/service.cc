#include "reflector/service.h"

#include <sys/timex.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <cerrno>
#include <cmath>
#include <csignal>

#include "base/log.h"

namespace ue::reflector {

namespace {

constexpr std::uint32_t kClockCheckTicks = 64;

Policy policy_of(const Settings& settings) {
  return {settings.config.allow_unauthenticated, settings.config.limits, settings.keys};
}

Instance new_instance() {
  const auto now = read_clocks();
  return {random_u64(), static_cast<std::uint32_t>(to_unix_seconds(now.wall))};
}

/// What the kernel's clock discipline knows of itself (RFC 4656 §4.1.2: multiplier * 2^scale * 2^-32
/// seconds).
stamp::ErrorEstimate clock_error() {
  timex state{};
  const bool synchronised = ntp_adjtime(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
  const double seconds = std::max(static_cast<double>(state.esterror) * 1e-6, 1e-6);
  stamp::ErrorEstimate estimate{synchronised, false, 0, 1};
  double units = std::ldexp(seconds, 32);
  while (units > 255 && estimate.scale < 63) {
    units /= 2;
    ++estimate.scale;
  }
  estimate.multiplier = static_cast<std::uint8_t>(std::ceil(std::min(units, 255.0)));
  return estimate;
}

bool kernel_has(const HostPort& listen) {
  const auto address = IpAddress::parse(listen.host);
  if (!address || address->is_v4()) return true;
  const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno != EAFNOSUPPORT;
  close(fd);
  return true;
}

}  // namespace

Result<Settings> load_settings(const std::string& config_file) {
  auto config = config::load_reflector_config(config_file);
  if (!config) return Error{config.error()};
  Settings settings{std::move(*config), {}};
  if (!settings.config.key_file.empty()) {
    auto keys = config::load_key_file(settings.config.key_file);
    if (!keys) return Error{keys.error()};
    settings.keys = std::move(*keys);
  }
  return settings;
}

Result<std::unique_ptr<Service>> Service::start(std::string config_file, Settings settings, Publish publish) {
  std::unique_ptr<Service> service(
      new Service(std::move(config_file), std::move(settings), std::move(publish)));
  if (const auto opened = service->open_ports(); !opened) return Error{opened.error()};
  service->wait_for_signal();
  service->tick();
  return service;
}

Service::Service(std::string config_file, Settings settings, Publish publish)
    : config_file_(std::move(config_file)),
      listen_(settings.config.listen),
      publish_(std::move(publish)),
      core_(policy_of(settings), new_instance()),
      desk_(std::make_shared<QueryDesk>(core_)),
      connections_(std::make_shared<QueryServer::Connections>()),
      signals_(loop_, SIGHUP, SIGTERM, SIGINT),
      timer_(loop_),
      late_timer_(loop_),
      holding_limit_(settings.config.limits.max_holds),
      reload_time_(to_unix_seconds(read_clocks().wall)) {
  connections_->limit = settings.config.limits.query_connections;
}

Result<std::monostate> Service::open_ports() {
  for (const auto& listen : listen_) {
    // A kernel without IPv6 is no reason not to serve IPv4: "[::]" is in the default.
    if (!kernel_has(listen) && listen_.size() > 1) {
      log::warn("REFLECTOR_FAMILY_OFF", "{} is left out: this kernel has IPv6 switched off",
                listen.to_string());
      continue;
    }
    if (auto opened = open_port(listen); !opened) return opened;
  }
  return std::monostate{};
}

Result<std::monostate> Service::open_port(const HostPort& listen) {
  const auto address = IpAddress::parse(listen.host);
  if (!address)
    return Error{"listen: '" + listen.to_string() + "' is no address: names are not looked up here"};
  auto udp = UdpPort::open(loop_, {*address, listen.port}, core_, static_cast<std::uint32_t>(ports_.size()),
                           [this] { arm_late(); });
  if (!udp) return Error{udp.error()};
  auto tcp = QueryServer::open(loop_, (*udp)->local(), desk_, connections_);
  if (!tcp) return Error{tcp.error()};
  log::info("REFLECTOR_LISTENING", "reflecting on udp and answering queries on tcp {}",
            (*udp)->local().to_string());
  (*udp)->start();
  ports_.push_back(std::move(*udp));
  query_servers_.push_back(std::move(*tcp));
  return std::monostate{};
}

void Service::run() { loop_.run(); }

void Service::stop() { loop_.stop(); }

std::future<Result<std::monostate>> Service::request_reload() {
  auto promise = std::make_shared<std::promise<Result<std::monostate>>>();
  auto result = promise->get_future();
  boost::asio::post(loop_, [this, promise] { promise->set_value(reload()); });
  return result;
}

Result<std::monostate> Service::reload() {
  auto settings = load_settings(config_file_);
  reload_ok_ = settings.ok();
  if (!settings) {
    log::error("REFLECTOR_RELOAD_FAILED", "{}; the running configuration stays in force", settings.error());
    return Error{settings.error()};
  }
  if (settings->config.listen != listen_) {
    log::warn("REFLECTOR_LISTEN_UNCHANGED",
              "'listen' was changed: that takes a restart, everything else is in force");
  }
  core_.replace_policy(policy_of(*settings));
  connections_->limit = settings->config.limits.query_connections;
  reload_time_ = to_unix_seconds(read_clocks().wall);
  log::info("REFLECTOR_RELOADED", "{} is in force, {} keys, {} sessions kept", config_file_,
            settings->keys.size(), core_.sessions());
  return std::monostate{};
}

void Service::wait_for_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    if (number != SIGHUP) {
      log::info("REFLECTOR_ENDING", "asked to end by signal {}", number);
      stop();
      return;
    }
    (void)reload();
    wait_for_signal();
  });
}

void Service::tick() {
  if (ticks_++ % kClockCheckTicks == 0) core_.set_error_estimate(clock_error());
  core_.tick(read_clocks().mono);
  if (publish_) publish_(status());
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

/// The replies whose time has come.
void Service::send_late() {
  std::array<std::uint8_t, kMaxDatagram> out;
  while (const auto late = core_.take_due(read_clocks(), out))
    ports_[late->request->socket]->send_late(*late);
  late_at_.reset();
  arm_late();
}

void Service::arm_late() {
  const auto due = core_.next_due();
  if (!due || (late_at_ && *late_at_ <= *due)) return;
  late_at_ = due;
  late_timer_.expires_at(std::chrono::steady_clock::time_point(due->time_since_epoch()));
  late_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) send_late();
  });
}

Status Service::status() const {
  Status s;
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    s.packets[std::string(name(outcome))] = core_.count(outcome);
  }
  for (std::size_t i = 0; i < kQueryOutcomes; ++i) {
    const auto outcome = static_cast<QueryOutcome>(i);
    s.queries[std::string(name(outcome))] = desk_->count(outcome);
  }
  for (std::size_t i = 0; i < kHoldOutcomes; ++i) {
    const auto outcome = static_cast<HoldOutcome>(i);
    s.holds[std::string(name(outcome))] = core_.count(outcome);
  }
  s.holding = core_.holding();
  s.holding_limit = holding_limit_;
  auto& not_unicast = s.packets["not_unicast"];
  auto& unsent = s.packets["send_failed"];
  for (const auto& port : ports_) {
    const auto& c = port->counters();
    s.received_bytes += c.received_bytes;
    s.sent_bytes += c.sent_bytes;
    not_unicast += c.not_unicast;
    unsent += c.send_errors;
  }
  s.packets["reflected"] -= unsent;  // each packet has one outcome
  s.sessions = core_.sessions();
  s.sessions_limit = core_.sessions_limit();
  s.sessions_started = core_.sessions_started();
  s.reload_ok = reload_ok_;
  s.reload_time = reload_time_;
  return s;
}

}  // namespace ue::reflector
