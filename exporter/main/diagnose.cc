#include "main/diagnose.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdio>

#include "agent/agent.h"
#include "agent/report.h"
#include "base/log.h"

namespace ue::tool {

namespace {

using namespace std::chrono_literals;

constexpr int kBadInput = 2;
constexpr int kInterrupted = 130;  // as shells say of SIGINT
constexpr Nanos kLongestHold = 120s;

/// What a one-shot run needs of a configuration, and nothing that would act in the running agent's stead: no
/// alerts, no management socket (it has one place), no watching of routes.
config::Config one_shot(config::Config config, Nanos duration) {
  config.alertmanagers.clear();
  config.routes.clear();
  for (auto& tunnel : config.openvpn) tunnel.management.clear();
  std::erase_if(config.openvpn,
                [](const auto& t) { return t.log.empty() && t.journal.empty() && t.status.empty(); });
  const auto profile = config::default_probe(config::Profile::standard);
  config.probe.interval = std::min(config.probe.interval, profile.interval);
  config.probe.fresh_interval = std::min(config.probe.fresh_interval, profile.fresh_interval);
  if (config.probe.holds.empty()) config.probe.holds = profile.holds;
  // What does not survive a quarter of the time is proven within it.
  const auto longest = std::min<Nanos>(kLongestHold, duration / 4);
  std::erase_if(config.probe.holds, [&](Nanos hold) { return hold >= longest; });
  config.probe.holds.push_back(longest);
  return config;
}

/// One line that is drawn over and over on a terminal; elsewhere a line for each change.
class Progress {
 public:
  explicit Progress(Nanos duration) : duration_(duration), terminal_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(Nanos elapsed, const metrics::Snapshot& snapshot) {
    const auto text = agent::progress_text(snapshot);
    const auto whole = std::chrono::floor<std::chrono::seconds>(elapsed).count();
    if (terminal_) {
      std::fprintf(stderr, "\r\033[K%lld of %lld s: %s", static_cast<long long>(whole),
                   static_cast<long long>(duration_ / 1s), text.c_str());
      drawn_ = true;
    } else if (text != last_) {
      std::fprintf(stderr, "%lld s: %s\n", static_cast<long long>(whole), text.c_str());
    }
    last_ = text;
    std::fflush(stderr);
  }
  void clear() {
    if (drawn_) std::fprintf(stderr, "\r\033[K");
    drawn_ = false;
  }

 private:
  Nanos duration_;
  bool terminal_;
  bool drawn_ = false;
  std::string last_;
};

/// The agent on its loop, until all is known, the time is over or a signal comes.
class Run {
 public:
  explicit Run(Nanos duration)
      : duration_(duration),
        agent_(loop_, box_, metrics::Build{UPLINK_VERSION, "", __VERSION__}, agent::Mode::one_shot),
        signals_(loop_, SIGINT, SIGTERM, SIGHUP),
        timer_(loop_),
        progress_(duration) {}

  bool interrupted() const { return interrupted_; }

  std::shared_ptr<const metrics::Snapshot> measure(const config::Config& config) {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      interrupted_ = true;
      loop_.stop();
    });
    begin_ = read_clocks().mono;
    agent_.apply(config);
    tick();
    loop_.run();
    auto found = box_.newest();
    progress_.clear();
    agent_.stop();
    signals_.cancel();
    timer_.cancel();
    loop_.restart();
    loop_.poll();
    return found;
  }

 private:
  void tick() {
    const auto elapsed = read_clocks().mono - begin_;
    const auto snapshot = box_.newest();
    settled_ = agent_.settled() ? settled_ + 1 : 0;
    certain_ = agent_.suspects() ? 0 : certain_ + 1;
    const bool over = elapsed >= duration_ && (certain_ >= kSettled || elapsed >= duration_ + duration_ / 2);
    if (over || snapshot->uplinks.empty() || (elapsed >= kLeast && settled_ >= kSettled)) {
      loop_.stop();
      return;
    }
    progress_.show(elapsed, *snapshot);
    timer_.expires_after(std::chrono::seconds(1));
    timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) tick();
    });
  }

  static constexpr Nanos kLeast = 10s;  // what is settled sooner may be the first impression
  static constexpr int kSettled = 3;    // ticks: the newest finding is judged, and then published

  const Nanos duration_;
  boost::asio::io_context loop_{1};
  agent::Agent::Box box_;
  agent::Agent agent_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer timer_;
  Progress progress_;
  Instant begin_{};
  int settled_ = 0;
  int certain_ = kSettled;  ///< ticks without a suspicion that is being confirmed
  bool interrupted_ = false;
};

int bad(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  return kBadInput;
}

}  // namespace

int diagnose(const DiagnoseOptions& options) {
  const auto config = options.config_file.empty() ? config::parse_config("", "built-in defaults")
                                                  : config::load_config(options.config_file);
  if (!config) return bad(config.error());
  (void)log::configure("error", "logfmt");  // what is not worth an error is in the report
  Run run(options.duration);
  const auto found = run.measure(one_shot(*config, options.duration));
  const auto text = options.json ? agent::report_json(*found) : agent::report_text(*found);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    return bad("uplinktool: standard output takes no more (disk full, or a closed pipe)");
  return run.interrupted() ? kInterrupted : static_cast<int>(agent::worst(*found));
}

std::string diagnose_footer() {
  return "Runs the agent's own measurements once: verdict, how long the NAT remembers a flow, how it maps "
         "and\n"
         "filters, and where the fault is. Without --config.file it finds the uplinks and asks public STUN "
         "servers,\n"
         "which cannot tell the way out from the way back; a reflector of yours can. It changes nothing, "
         "except "
         "that an\n"
         "uplink with `gateway:` may need a rule and a table for its probes, which are removed at the end.\n"
         "Exit code, by the worst uplink: 0 healthy; 1 it works, with a fault (lossy, short_mapping, "
         "mtu_blackhole,\n"
         "stuck_mapping, new_flows_blocked); 3 it does not work (every other verdict); 4 unknown; 2 bad "
         "command "
         "line or\n"
         "configuration; 130 interrupted, after the report of what was known.\n"
         "JSON: {\"schema\":1, version, exit_code, uplinks:[{name, interface, gateway, verdict, why, scope, "
         "advice,\n"
         "mapped_endpoint, nat:{mapping, filtering, carrier_grade}, round_trip_seconds, "
         "lifetimes:{stream:{lower_seconds,\n"
         "upper_seconds},..}, local_faults, paths:[{reflector, verdict, why, scope, mapped_endpoint, "
         "round_trip_seconds,\n"
         "sent, received, forward_lost, return_lost}]}], faults:[{source, why}]}. Members are only ever "
         "added; "
         "what was not\n"
         "measured is null.\n\n"
         "Examples:\n"
         "  uplinktool diagnose\n"
         "  uplinktool diagnose --config.file /etc/uplink_exporter/agent.yml --json > report.json";
}

}  // namespace ue::tool
