#pragma once
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "reflector/core.h"

namespace ue::reflector {

/// Only grows.
struct PortCounters {
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t not_unicast = 0;     ///< sent to a group or broadcast address: never answered
  std::uint64_t receive_errors = 0;  ///< of the socket, not of the datagrams
  std::uint64_t send_errors = 0;     ///< replies that the kernel did not take
};

/// One UDP socket in front of the core: reads and answers up to kBatch datagrams per wake-up, from the
/// address that was asked (also on a host with several), with the kernel's receive timestamps. Owned by
/// Service, lives on its loop's thread, and never keeps a datagram beyond the wake-up.
class UdpPort {
 public:
  static constexpr std::size_t kBatch = 64;

  /// Binds; the error names the address, the reason and what helps. An IPv6 socket takes IPv6 only.
  /// `number` is what the datagrams of this port are marked with; `after_batch` is called when the core has
  /// seen some.
  static Result<std::unique_ptr<UdpPort>> open(boost::asio::io_context& loop, const Endpoint& listen,
                                               ReflectorCore& core, std::uint32_t number,
                                               std::function<void()> after_batch);
  ~UdpPort();
  UdpPort(const UdpPort&) = delete;
  UdpPort& operator=(const UdpPort&) = delete;

  /// Handles what arrives from now on, until destroyed.
  void start();
  /// Sends one reply that was held back, as it would have been sent then.
  void send_late(const ReflectorCore::Late& late);
  const PortCounters& counters() const { return counters_; }
  const Endpoint& local() const { return local_; }  ///< with the kernel's choice where port 0 was asked for

 private:
  struct Buffers;
  UdpPort(boost::asio::io_context& loop, int fd, const Endpoint& local, ReflectorCore& core,
          std::uint32_t number, std::function<void()> after_batch);
  void wait();
  void serve();
  std::size_t answer(std::size_t received);
  void transmit(std::size_t replies);
  void note_unsent();

  boost::asio::posix::stream_descriptor socket_;
  const Endpoint local_;
  ReflectorCore& core_;
  const std::uint32_t number_;
  const std::function<void()> after_batch_;
  std::unique_ptr<Buffers> buffers_;
  PortCounters counters_;
};

/// "what: reason", with the remedy for the reasons that an operator meets: port in use, no permission, no
/// such address.
Error listen_error(const std::string& what, int code);

}  // namespace ue::reflector
