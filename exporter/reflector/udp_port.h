#pragma once
#include <utility>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "reflector/core.h"
#include "reflector/reply_batch.h"

namespace ue::reflector {

/// Only grow; written by the port's own thread, read by any.
struct PortCounters {
  using Counter = std::atomic<std::uint64_t>;
  Counter batches = 0;  ///< how often datagrams were taken; with their number, how full the batches are
  Counter received_bytes = 0;
  Counter sent_bytes = 0;
  Counter not_unicast = 0;     ///< sent to a group or broadcast address: never answered
  Counter receive_errors = 0;  ///< of the socket, not of the datagrams
  Counter send_errors = 0;     ///< replies that the kernel did not take
};

/// A core that another thread may look into: the lock is held while a batch is answered, never while it is
/// received or sent.
struct GuardedCore {
  ReflectorCore core;
  std::mutex mutex;
};

/// Which of how many sockets on one port this is; the kernel deals datagrams out by shard_choice().
struct ShardNumber {
  std::uint32_t own = 0;
  std::uint32_t count = 1;
};

/// One UDP socket in front of a core: reads and answers up to kBatch datagrams at a time, from the address
/// that was asked (also on a host with several), with the kernel's receive timestamps. Owned by Shard, lives
/// on its loop's thread, and never keeps a datagram beyond the batch.
class UdpPort {
 public:
  static constexpr std::size_t kBatch = 64;

  struct Hooks {                        ///< called on the port's thread, without the core's lock
    std::function<void()> after_batch;  ///< the core has seen some datagrams
    std::function<void(const IcmpAboutReply&)>
        reply_error;  ///< of any shard: the kernel does not say of which
  };

  /// Binds; the error names the address, the reason and what helps. An IPv6 socket takes IPv6 only. The
  /// shards of one port are opened in the order of their numbers. `number` is what the datagrams of this port
  /// are marked with.
  static Result<std::unique_ptr<UdpPort>> open(boost::asio::io_context& loop, const Endpoint& listen,
                                               ShardNumber shard, GuardedCore& core, std::uint32_t number,
                                               Hooks hooks);
  ~UdpPort();
  UdpPort(const UdpPort&) = delete;
  UdpPort& operator=(const UdpPort&) = delete;

  /// Handles what arrives from now on, until destroyed.
  void start();
  /// Sends one reply that was held back, which stands in `octets`, as it would have been sent then.
  void send_late(const ReflectorCore::Late& late, std::span<std::uint8_t> octets);
  const PortCounters& counters() const { return counters_; }
  /// Datagrams that the kernel had no room for, since the socket was opened. Any thread.
  std::uint64_t kernel_drops() const;
  const Endpoint& local() const { return local_; }  ///< with the kernel's choice where port 0 was asked for

 private:
  struct Buffers;
  UdpPort(boost::asio::io_context& loop, int fd, const Endpoint& local, GuardedCore& core,
          std::uint32_t number, Hooks hooks);
  void wait();
  void serve();
  std::size_t receive();
  void answer(std::size_t received);
  void transmit();
  void take_errors();

  boost::asio::posix::stream_descriptor socket_;
  const Endpoint local_;
  const IpAddress any_;  ///< of its family: the kernel chooses what is answered from
  GuardedCore& core_;
  const std::uint32_t number_;
  const Hooks hooks_;
  std::unique_ptr<Buffers> buffers_;
  ReplyBatch replies_;
  PortCounters counters_;
  bool icmp_waits_ = false;  ///< the error queue is not empty
};

/// "what: reason", with the remedy for the reasons that an operator meets: port in use, no permission, no
/// such address.
Error listen_error(const std::string& what, int code);

}  // namespace ue::reflector
