#include "reflector/service.h"

#include <sched.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cmath>
#include <csignal>

#include "base/log.h"
#include "config/dump.h"

namespace ue::reflector {

namespace {

constexpr std::uint32_t kClockCheckTicks = 64;
constexpr std::uint32_t kMaxShards = 64;

/// What one of `shards` goes by: limits for everything together are divided, those for a key or a prefix are
/// shared.
Policy policy_of(const Settings& settings, std::size_t shards) {
  Policy policy{settings.config.allow_unauthenticated, settings.config.limits, settings.keys};
  const auto share = [&](std::uint32_t whole) {
    return static_cast<std::uint32_t>((whole + shards - 1) / shards);
  };
  policy.limits.max_sessions = share(policy.limits.max_sessions);
  policy.limits.max_holds = share(policy.limits.max_holds);
  return policy;
}

/// As many cores as this process may run on (taskset, CPUAffinity=).
std::uint32_t usable_cores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return std::clamp(static_cast<std::uint32_t>(CPU_COUNT(&cores)), 1U, kMaxShards);
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

void add(Status& s, const ReflectorCore& core) {
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    s.packets[std::string(name(outcome))] += core.count(outcome);
  }
  for (std::size_t i = 0; i < kHoldOutcomes; ++i) {
    const auto outcome = static_cast<HoldOutcome>(i);
    s.holds[std::string(name(outcome))] += core.count(outcome);
  }
  s.holding += core.holding();
  s.sessions += core.sessions();
  s.sessions_started += core.sessions_started();
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
  for (const auto& shard : service->shards_) shard->start();
  return service;
}

Service::Service(std::string config_file, Settings settings, Publish publish)
    : config_file_(std::move(config_file)),
      listen_(settings.config.listen),
      publish_(std::move(publish)),
      desk_(std::make_shared<QueryDesk>(static_cast<Cores&>(*this))),
      connections_(std::make_shared<QueryServer::Connections>()),
      signals_(loop_, SIGHUP, SIGTERM, SIGINT),
      timer_(loop_),
      limits_(settings.config.limits),
      reload_time_(to_unix_seconds(read_clocks().wall)),
      config_text_(std::make_shared<const std::string>(config::to_yaml(settings.config))) {
  connections_->limit = settings.config.limits.query_connections;
  const auto instance = new_instance();
  const auto counts = std::make_shared<SharedCounts>();
  const auto shards = usable_cores();
  for (std::uint32_t i = 0; i < shards; ++i)
    shards_.push_back(
        std::make_unique<Shard>(policy_of(settings, shards), instance, counts, ShardNumber{i, shards},
                                [this](const IcmpAboutReply& error) { note_reply_error(error); }));
}

Service::~Service() = default;

/// On the thread of the shard that found it, which need not be the one that replied.
void Service::note_reply_error(const IcmpAboutReply& error) {
  bool noted = false;
  for (std::size_t i = 0; i < shards_.size() && !noted; ++i)
    shards_[i]->with_core(
        [&](ReflectorCore& core) { noted = core.note_reply_error(read_clocks().mono, error); });
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
  // TCP first: the shards' sockets share their port, so only here a second reflector meets "address in use".
  auto tcp = QueryServer::open(loop_, {*address, listen.port}, desk_, connections_);
  if (!tcp) return Error{tcp.error()};
  for (const auto& shard : shards_) {
    if (auto udp = shard->listen((*tcp)->local()); !udp) return udp;
  }
  log::info("REFLECTOR_LISTENING", "reflecting on udp and answering queries on tcp {}, {} shards",
            (*tcp)->local().to_string(), shards_.size());
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
  limits_ = settings->config.limits;
  config_text_ = std::make_shared<const std::string>(config::to_yaml(settings->config));
  std::size_t sessions = 0;
  for (const auto& shard : shards_) {
    shard->with_core([&](ReflectorCore& core) {
      core.replace_policy(policy_of(*settings, shards_.size()));
      sessions += core.sessions();
    });
  }
  connections_->limit = settings->config.limits.query_connections;
  reload_time_ = to_unix_seconds(read_clocks().wall);
  log::info("REFLECTOR_RELOADED", "{} is in force, {} keys, {} sessions kept", config_file_,
            settings->keys.size(), sessions);
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
  const bool check_clock = ticks_++ % kClockCheckTicks == 0;
  for (const auto& shard : shards_) {
    shard->with_core([&](ReflectorCore& core) {
      if (check_clock) core.set_error_estimate(clock_error());
      core.tick(read_clocks().mono);
    });
  }
  if (publish_) publish_(status());
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

Status Service::status() {
  Status s;
  for (const auto& shard : shards_) {
    const auto totals = shard->totals();
    shard->with_core([&](ReflectorCore& core) { add(s, core); });
    s.batches += totals.batches;
    s.kernel_drops += totals.kernel_drops;
    s.received_bytes += totals.received_bytes;
    s.sent_bytes += totals.sent_bytes;
    s.packets["not_unicast"] += totals.not_unicast;
    s.packets["send_failed"] += totals.send_errors;
    // Each packet has one outcome. A late reply's failure is not among those that were reflected.
    auto& reflected = s.packets["reflected"];
    reflected -= std::min(reflected, totals.send_errors);
  }
  for (std::size_t i = 0; i < kQueryOutcomes; ++i) {
    const auto outcome = static_cast<QueryOutcome>(i);
    s.queries[std::string(name(outcome))] = desk_->count(outcome);
  }
  s.holding_limit = limits_.max_holds;
  s.sessions_limit = limits_.max_sessions;
  s.reload_ok = reload_ok_;
  s.reload_time = reload_time_;
  s.config = config_text_;
  return s;
}

}  // namespace ue::reflector
