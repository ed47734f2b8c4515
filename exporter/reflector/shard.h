#pragma once
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "reflector/udp_port.h"

namespace ue::reflector {

/// One core of the machine: a thread with its loop, a socket on every port, and the sessions that the kernel
/// deals to it by their SSID. Owned by Service; what another thread wants of it goes through with_core() and
/// totals().
class Shard {
 public:
  using ReplyErrorHook = std::function<void(const IcmpAboutReply&)>;

  /// `reply_error` is called on the shard's thread for ICMP errors about replies of any shard.
  Shard(Policy policy, Instance instance, std::shared_ptr<SharedCounts> counts, ShardNumber number,
        ReplyErrorHook reply_error);
  ~Shard();  ///< stops and joins
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Before start(), for each port once, in the same order in every shard.
  Result<std::monostate> listen(const Endpoint& local);
  void start();
  void stop();

  /// Any thread, its own while it does not answer a batch.
  void with_core(const std::function<void(ReflectorCore&)>& use);
  struct Totals {
    std::uint64_t batches = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
    std::uint64_t not_unicast = 0;
    std::uint64_t send_errors = 0;
    std::uint64_t kernel_drops = 0;
  };
  Totals totals() const;

 private:
  void send_late();
  void arm_late();

  const ShardNumber number_;
  const ReplyErrorHook reply_error_;
  boost::asio::io_context loop_{1};  ///< before what lives on it, so that it goes last
  GuardedCore core_;
  boost::asio::steady_timer late_timer_;
  std::optional<Instant> late_at_;  ///< for which it is armed
  std::vector<std::unique_ptr<UdpPort>> ports_;
  std::thread thread_;
};

}  // namespace ue::reflector
