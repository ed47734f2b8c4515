#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <variant>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "uplink/binding.h"
#include "uplink/socket_error.h"

namespace ue::uplink {

/// A received datagram. `bytes` is valid until this thread receives again, through any UdpSocket.
struct Datagram {
  ByteView bytes;
  Endpoint source;                       ///< as it came: whether it is the right one is the caller's to judge
  std::optional<IpAddress> destination;  ///< the address of ours that it was sent to
  std::uint8_t ttl = 0;                  ///< TTL or hop limit on arrival
  WallTime received;                     ///< kernel time
};

struct Sent {
  std::size_t size = 0;
  std::uint32_t id = 0;  ///< what TxTimestamp::id will say
};

struct UdpOptions {
  /// Sets DF on every packet, and sends whatever the kernel believes of the path's MTU (IP_PMTUDISC_PROBE):
  /// only the interface's own MTU still refuses, with EMSGSIZE.
  bool dont_fragment = false;
};

/// A probe's UDP socket, bound to one uplink, with a source port of the kernel's choice, ICMP errors and
/// kernel timestamps in both directions. Non-blocking and not connected, so that an answer from a foreign
/// address is seen and can be counted. Owned by the agent's flow, used on the loop's thread; it never waits
/// and allocates nothing per packet.
class UdpSocket {
 public:
  static Result<UdpSocket> open(const Binding& binding, const UdpOptions& options = {});

  UdpSocket(UdpSocket&& other) noexcept { *this = std::move(other); }
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  ~UdpSocket();

  int fd() const { return fd_; }  ///< for the loop: readable, or in error when receive_error() has something
  Endpoint local() const { return local_; }

  /// `ttl` 1-255 for this packet only. The error has errno's text; last_errno() has its number.
  Result<Sent> send(ByteView bytes, const Endpoint& to, std::optional<std::uint8_t> ttl = std::nullopt);
  int last_errno() const { return last_errno_; }  ///< of the last send() that failed

  std::optional<Datagram> receive();           ///< nothing when the queue is empty
  std::optional<SocketError> receive_error();  ///< nothing when the error queue is empty

 private:
  UdpSocket(int fd, Family family) : fd_(fd), family_(family) {}
  Result<std::monostate> configure(const Binding& binding, const UdpOptions& options);
  bool restart_timestamp_ids();

  int fd_ = -1;
  Family family_ = Family::ipv4;
  Endpoint local_;
  int last_errno_ = 0;
  std::uint32_t next_id_ = 0;  ///< of the next packet
  std::uint32_t base_id_ = 0;  ///< next_id_ when the kernel's own count last began at 0
};

}  // namespace ue::uplink
