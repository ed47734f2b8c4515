// uplink_reflector: the far end of the probes, on the VPN server or any host with a public address.
#include <CLI/CLI.hpp>
#include <iostream>

#include "base/log.h"
#include "base/process_stats.h"
#include "base/service_manager.h"
#include "main/log_flags.h"
#include "metrics/snapshot.h"
#include "metrics/snapshot_box.h"
#include "reflector/service.h"
#include "web/pages.h"
#include "web/server.h"

namespace {

using namespace ue;
using Box = metrics::SnapshotBox<metrics::ReflectorSnapshot>;

constexpr int kUsage = 2;

struct Flags {
  std::string config_file;
  bool config_check = false;
  std::vector<std::string> listen;
  std::string web_config;
  LogFlags log;
};

int fail(const std::string& reason) {
  log::error("START_FAILED", "{}", reason);
  return kUsage;
}

metrics::ReflectorSnapshot to_snapshot(const reflector::Status& status) {
  metrics::ReflectorSnapshot s;
  s.build = {UPLINK_VERSION, "", __VERSION__};
  s.process = read_process_stats();
  s.published = to_unix_seconds(read_clocks().wall);
  s.packets = status.packets;
  s.queries = status.queries;
  s.holds = status.holds;
  s.holding = status.holding;
  s.holding_limit = status.holding_limit;
  s.sessions = status.sessions;
  s.sessions_limit = status.sessions_limit;
  s.sessions_started = status.sessions_started;
  s.batches = status.batches;
  s.kernel_drops = status.kernel_drops;
  s.received_bytes = status.received_bytes;
  s.sent_bytes = status.sent_bytes;
  s.config_reload_ok = status.reload_ok;
  s.config_reload_time = status.reload_time;
  s.config = status.config;
  return s;
}

/// The one call that web threads make into the loop: posted, with a deadline.
web::Reload posted_reload(reflector::Service& service) {
  return [&service](Nanos deadline) -> Result<std::monostate> {
    auto result = service.request_reload();
    if (result.wait_for(deadline) != std::future_status::ready)
      return Error{"the reflector did not reload in time"};
    return result.get();
  };
}

int run(const Flags& flags, reflector::Settings settings) {
  Box box;
  ServiceManager manager;  // told on the service's loop, which asks every shard once a second
  auto service = reflector::Service::start(
      flags.config_file, std::move(settings), [&box, &manager](const reflector::Status& status) {
        auto snapshot = std::make_shared<const metrics::ReflectorSnapshot>(to_snapshot(status));
        manager.status(std::to_string(snapshot->sessions) + " sessions");
        manager.feed(snapshot->published);
        box.publish(std::move(snapshot));
      });
  if (!service) return fail(service.error());
  auto server = web::Server::start(
      flags.listen, web::reflector_site(box, "/metrics", posted_reload(**service)), flags.web_config);
  if (!server) return fail(server.error());
  log::info("STARTED", "uplink_reflector {} serves metrics on {}", UPLINK_VERSION, flags.listen.front());
  manager.ready();
  (*service)->run();
  manager.stopping();
  server->reset();  // before what its pages read
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  CLI::App app{
      "Answers the probes of uplink_exporter (STAMP, RFC 8762 and 8972), and tells over TCP what arrived "
      "when "
      "no\nanswer gets back. It runs on the VPN server, or on any host with a public address."};
  app.name("uplink_reflector");
  app.add_option("--config.file", flags.config_file, "Configuration: where to listen, and the gateways' keys")
      ->type_name("FILE")
      ->required();
  app.add_flag("--config.check", flags.config_check,
               "Check configuration, web configuration and keys, and exit:\n0 good, 2 bad");
  app.add_option("--web.listen-address", flags.listen, "Where to serve page and metrics; repeatable")
      ->type_name("ADDRESS:PORT")
      ->default_str("127.0.0.1:10178");
  app.add_option("--web.config.file", flags.web_config,
                 "TLS, passwords, headers and a rate limit of the pages, in the\nformat of Prometheus' "
                 "exporter-toolkit")
      ->type_name("FILE");
  flags.log.add_to(app);
  app.set_version_flag("--version", std::string("uplink_reflector ") + UPLINK_VERSION);
  app.footer(
      "Examples:\n"
      "  (umask 077; uplinktool keygen > cloud.key)                   one key, a copy of it on the gateway\n"
      "  printf 'listen: [\"0.0.0.0:40862\"]\\nkey_file: cloud.key\\n' > reflector.yml\n"
      "  uplink_reflector --config.file reflector.yml --config.check  is it good?\n"
      "  uplink_reflector --config.file reflector.yml\n"
      "Open the port for UDP and for TCP: over TCP a gateway asks what arrived when nothing comes back. Its\n"
      "own /metrics are on 127.0.0.1:10178. SIGHUP, or POST to /-/reload there, reads the configuration\n"
      "again; a bad one changes nothing. More is in uplink_reflector(8).");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  if (flags.listen.empty()) flags.listen = {"127.0.0.1:10178"};
  if (const auto configured = flags.log.apply(); !configured) {
    std::cerr << configured.error() << "\n";
    return kUsage;
  }
  auto settings = reflector::load_settings(flags.config_file);
  if (!settings) return fail(settings.error());
  if (flags.config_check) {
    if (const auto web = web::Server::check(flags.web_config); !web) return fail(web.error());
    std::cout << flags.config_file << ": ok\n";
    return 0;
  }
  return run(flags, std::move(*settings));
}
