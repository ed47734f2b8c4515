#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "reflector/query_server.h"
#include "reflector/shard.h"

namespace ue::reflector {

/// What the service says of itself once a second: plain numbers, for whoever publishes them.
struct Status {
  std::map<std::string, std::uint64_t> packets;  ///< by outcome, the socket's own included
  std::map<std::string, std::uint64_t> queries;  ///< by outcome
  std::map<std::string, std::uint64_t> holds;    ///< by outcome
  std::uint64_t holding = 0;                     ///< replies that wait
  std::uint64_t holding_limit = 0;
  std::uint64_t sessions = 0;
  std::uint64_t sessions_limit = 0;
  std::uint64_t sessions_started = 0;
  std::uint64_t batches = 0;         ///< system calls that brought datagrams
  std::uint64_t kernel_drops = 0;    ///< datagrams that found the receive buffer full
  std::uint64_t received_bytes = 0;  ///< UDP payload
  std::uint64_t sent_bytes = 0;
  bool reload_ok = true;
  double reload_time = 0;  ///< Unix seconds of the last success
  std::shared_ptr<const std::string> config;  ///< in force, as YAML
};

/// Configuration and keys, read together: one is of no use without the other.
struct Settings {
  config::ReflectorConfig config;
  std::vector<config::Key> keys;
};
Result<Settings> load_settings(const std::string& config_file);

/// The running reflector: a shard for each core that this process may use, and on a loop of its own the query
/// channel, the signals (SIGHUP reloads, SIGTERM and SIGINT end it) and the publication. Owned by main;
/// everything but request_reload() and stop() belongs to the thread that calls run().
class Service : private Cores {
 public:
  using Publish = std::function<void(const Status&)>;

  /// Opens every port of the configuration; the first that fails is the error. `publish` is called once a
  /// second, and once before run() receives anything.
  ~Service() override;
  static Result<std::unique_ptr<Service>> start(std::string config_file, Settings settings, Publish publish);

  void run();  ///< until a signal ends it
  /// Any thread may ask for a reload; the result is that of the one that followed. A bad file changes
  /// nothing.
  std::future<Result<std::monostate>> request_reload();
  /// Ends run() from any thread.
  void stop();

 private:
  Service(std::string config_file, Settings settings, Publish publish);
  Result<std::monostate> open_ports();
  Result<std::monostate> open_port(const HostPort& listen);
  Result<std::monostate> reload();
  void note_reply_error(const IcmpAboutReply& error);
  void wait_for_signal();
  void tick();
  Status status();
  std::size_t count() const override { return shards_.size(); }
  void with(std::size_t shard, const std::function<void(ReflectorCore&)>& use) override {
    shards_[shard]->with_core(use);
  }

  const std::string config_file_;
  const std::vector<HostPort> listen_;
  const Publish publish_;
  boost::asio::io_context loop_{1};  ///< before what lives on it, so that it goes last
  std::vector<std::unique_ptr<Shard>> shards_;
  std::shared_ptr<QueryDesk> desk_;
  std::shared_ptr<QueryServer::Connections> connections_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer timer_;
  std::vector<std::unique_ptr<QueryServer>> query_servers_;
  std::uint32_t ticks_ = 0;
  config::ReflectorLimits limits_;
  bool reload_ok_ = true;
  double reload_time_;
  std::shared_ptr<const std::string> config_text_;
};

}  // namespace ue::reflector
