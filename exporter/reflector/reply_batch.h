#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/address.h"
#include "reflector/ancillary.h"

namespace ue::reflector {

/// The replies to a batch of requests on their way out: one system call for all, and one pass through the
/// kernel's stack for those that follow each other to the same place with the same length (UDP_SEGMENT,
/// Linux 4.18), as the packets of a fast sender do. Owned by UdpPort; it keeps no octets, only where they
/// are.
class ReplyBatch {
 public:
  static constexpr std::size_t kMost = 64;

  struct To {
    const sockaddr_storage*
        address;  ///< with the scope of a link-local address; stays where it is until send()
    socklen_t size;
    IpAddress local;  ///< to be sent from; unspecified: the kernel's choice
    unsigned interface;
    std::uint8_t traffic_class;
  };

  ReplyBatch();
  ~ReplyBatch();
  ReplyBatch(const ReplyBatch&) = delete;
  ReplyBatch& operator=(const ReplyBatch&) = delete;

  /// At most kMost before send(). The octets stay where they are until then.
  void add(std::span<std::uint8_t> octets, const To& to);

  struct Sent {
    std::uint64_t octets = 0;  ///< UDP payload that the kernel took
    std::uint64_t failed =
        0;          ///< replies that it did not take: they are dropped, late they would only mislead
    int error = 0;  ///< errno of the last of these
    bool icmp_waits = false;  ///< the socket's error queue is not empty
  };
  /// Sends what was added, in that order, and forgets it.
  Sent send(int fd);

 private:
  struct Buffers;
  bool together(std::size_t first, std::size_t next) const;
  std::size_t compose();
  void compose_one(std::size_t message, std::size_t first, std::size_t count);

  std::unique_ptr<Buffers> buffers_;
  std::size_t replies_ = 0;
};

}  // namespace ue::reflector
