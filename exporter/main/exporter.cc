// uplink_exporter: the agent on the gateway.
#include <CLI/CLI.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <iostream>

#include "agent/agent.h"
#include "base/log.h"
#include "base/service_manager.h"
#include "main/log_flags.h"
#include "web/pages.h"
#include "web/server.h"
#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

using namespace ue;

constexpr int kUsage = 2;
constexpr Nanos kBeat = std::chrono::seconds(5);
constexpr Nanos kGiveBack = std::chrono::minutes(1);

struct Flags {
  std::string config_file;
  bool config_check = false;
  std::vector<std::string> listen;
  std::string telemetry_path = "/metrics";
  std::string web_config;
  LogFlags log;
};

int fail(const std::string& reason) {
  log::error("START_FAILED", "{}", reason);
  return kUsage;
}

Result<config::Config> read_config(const Flags& flags) {
  if (flags.config_file.empty()) return config::parse_config("", "built-in defaults");
  return config::load_config(flags.config_file);
}

/// The one call that web threads may make into the agent: posted to the loop, with a deadline.
web::Reload posted_reload(boost::asio::io_context& loop, agent::Agent& agent, const std::string& file) {
  return [&loop, &agent, file](Nanos deadline) -> Result<std::monostate> {
    if (file.empty()) return Error{"there is no --config.file to read again"};
    auto promise = std::make_shared<std::promise<Result<std::monostate>>>();
    auto future = promise->get_future();
    boost::asio::post(loop, [&agent, file, promise] { promise->set_value(agent.reload(file)); });
    if (future.wait_for(deadline) != std::future_status::ready)
      return Error{"the agent did not reload in time"};
    return future.get();
  };
}

void wait_for_signals(boost::asio::io_context& loop, boost::asio::signal_set& signals, agent::Agent& agent,
                      const std::string& file) {
  signals.async_wait([&, file](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      if (!file.empty()) (void)agent.reload(file);
      wait_for_signals(loop, signals, agent, file);
      return;
    }
    log::info("STOPPING", "signal {}", signal);
    loop.stop();
  });
}

/// Tells the service manager what the uplinks are, and that snapshots still come out of the loop.
void beat(boost::asio::steady_timer& timer, ServiceManager& manager, const agent::Agent::Box& box) {
  if (const auto snapshot = box.newest()) {
    std::string uplinks;
    for (const auto& uplink : snapshot->uplinks) {
      uplinks += uplinks.empty() ? "" : ", ";
      uplinks += uplink->name + " " + std::string(verdict::name(uplink->conclusion.verdict));
    }
    manager.status(uplinks.empty() ? "no uplink found" : uplinks);
    manager.feed(snapshot->published);
  }
  timer.expires_after(std::min(manager.feeding_interval().value_or(kBeat), kBeat));
  timer.async_wait([&timer, &manager, &box](const boost::system::error_code& cancelled) {
    if (!cancelled) beat(timer, manager, box);
  });
}

/// What the start, a reload or a large page needed for a moment goes back to the kernel.
void give_back_memory(boost::asio::steady_timer& timer) {
  timer.expires_after(kGiveBack);
  timer.async_wait([&timer](const boost::system::error_code& cancelled) {
    if (cancelled) return;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    give_back_memory(timer);
  });
}

int run(const Flags& flags) {
  const auto config = read_config(flags);
  if (!config) return fail(config.error());

  boost::asio::io_context loop(1);
  agent::Agent::Box box;
  agent::Agent agent(loop, box, metrics::Build{UPLINK_VERSION, "", __VERSION__});
  auto server = web::Server::start(
      flags.listen, web::agent_site(box, flags.telemetry_path, posted_reload(loop, agent, flags.config_file)),
      flags.web_config);
  if (!server) return fail(server.error());

  boost::asio::signal_set signals(loop, SIGINT, SIGTERM, SIGHUP);
  wait_for_signals(loop, signals, agent, flags.config_file);
  agent.apply(*config);
  log::info("STARTED", "uplink_exporter {} serves on {}", UPLINK_VERSION, flags.listen.front());
  ServiceManager manager;
  boost::asio::steady_timer timer(loop);
  manager.ready();
  beat(timer, manager, box);
  boost::asio::steady_timer memory(loop);
  give_back_memory(memory);
  loop.run();

  manager.stopping();
  timer.cancel();
  memory.cancel();
  server->reset();
  agent.stop();
  signals.cancel();
  loop.restart();
  loop.poll();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
#ifdef __GLIBC__
  mallopt(M_ARENA_MAX, 2);  // the web server's many threads would else have a heap each
#endif
  Flags flags;
  CLI::App app{
      "Measures for each uplink of this machine whether UDP replies come back, how OpenVPN fares and where "
      "routes\nlead, and says in one sentence what is wrong: on a page, and as metrics for Prometheus."};
  app.name("uplink_exporter");
  app.add_option("--config.file", flags.config_file,
                 "Configuration; left out: every uplink that has a default route,\n"
                 "measured against public STUN servers")
      ->type_name("FILE");
  app.add_flag("--config.check", flags.config_check,
               "Check the configuration, and the web configuration, and exit:\n0 good, 2 bad");
  app.add_option("--web.listen-address", flags.listen, "Where to serve page and metrics; repeatable")
      ->type_name("ADDRESS:PORT")
      ->default_str("127.0.0.1:10177");
  app.add_option("--web.telemetry-path", flags.telemetry_path, "Path of the metrics")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--web.config.file", flags.web_config,
                 "TLS, passwords, headers and a rate limit, in the format of\nPrometheus' exporter-toolkit")
      ->type_name("FILE");
  flags.log.add_to(app);
  app.set_version_flag("--version", std::string("uplink_exporter ") + UPLINK_VERSION);
  app.footer(
      "Examples:\n"
      "  uplink_exporter                                         no configuration: is anything wrong here?\n"
      "  uplinktool init > agent.yml                             a configuration for this machine\n"
      "  uplink_exporter --config.file agent.yml --config.check  is it good?\n"
      "  uplink_exporter --config.file agent.yml --web.listen-address 192.168.10.1:10177\n"
      "Then open http://127.0.0.1:10177/ : /metrics is for Prometheus, /api/v1/status for other programs.\n"
      "SIGHUP, or POST to /-/reload, reads the configuration again; a bad one changes nothing. More is in\n"
      "uplink_exporter(8), every key of the configuration in "
      "/usr/share/doc/uplink-exporter/configuration.md.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  if (flags.listen.empty()) flags.listen = {"127.0.0.1:10177"};
  if (const auto configured = flags.log.apply(); !configured) {
    std::cerr << configured.error() << "\n";
    return kUsage;
  }
  if (flags.config_check) {
    if (const auto web = web::Server::check(flags.web_config); !web) return fail(web.error());
    const auto config = read_config(flags);
    if (!config) return fail(config.error());
    std::cout << (flags.config_file.empty() ? "built-in defaults" : flags.config_file) << ": ok\n";
    return 0;
  }
  return run(flags);
}
