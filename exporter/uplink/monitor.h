#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "base/result.h"
#include "uplink/kernel_events.h"

namespace ue::uplink {

/// Tells when links, addresses, default routes, policy rules, watched neighbours or the way to a watched
/// destination change, so that nobody polls. Subscribed before the first look at the tables, nothing is
/// missed. Owned by the agent, on the loop's thread; never waits, keeps no state of the network, and has the
/// kernel drop the events of all other routes.
class Monitor {
 public:
  static Result<Monitor> open();
  Monitor(Monitor&& other) noexcept { *this = std::move(other); }
  Monitor& operator=(Monitor&& other) noexcept;
  ~Monitor();

  int fd() const { return fd_; }  ///< readable when drain() has something to do
  /// From now on these are told of too. What changed before is not: look at the tables after this.
  void watch(Interest interest);
  const Interest& interest() const { return interest_; }
  /// Reads all that has come. Where events were lost, everything may have changed.
  Changes drain();
  /// How many times the kernel had to drop events because we were slow. Only grows.
  std::uint64_t overruns() const { return overruns_; }
  /// Events that came through the filter. Only grows.
  std::uint64_t received() const { return received_; }

 private:
  explicit Monitor(int fd) : fd_(fd) {}

  int fd_ = -1;
  Interest interest_;
  std::vector<char> buffer_;
  std::uint64_t overruns_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace ue::uplink
