#pragma once
#include <cstdint>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace ue::uplink {

/// Sees the UDP packets of one far end as they arrive on an interface, before this machine's filters do: what
/// is seen here and reaches no socket was dropped by the machine itself. Needs CAP_NET_RAW, sends nothing,
/// changes nothing. Opened only while replies are missing; used on the loop's thread.
class ArrivalTap {
 public:
  /// Whether open() would be allowed; opens and closes a socket that hears nothing.
  static bool permitted();
  static Result<ArrivalTap> open(int ifindex, const Endpoint& from);
  ArrivalTap(ArrivalTap&& other) noexcept : fd_(other.fd_), ipv4_(other.ipv4_) { other.fd_ = -1; }
  ArrivalTap& operator=(ArrivalTap&&) = delete;
  ~ArrivalTap();

  /// Destination ports of what has arrived since the last call, at most 256.
  std::vector<std::uint16_t> take();

 private:
  ArrivalTap(int fd, bool ipv4) : fd_(fd), ipv4_(ipv4) {}

  int fd_;
  bool ipv4_;
};

}  // namespace ue::uplink
