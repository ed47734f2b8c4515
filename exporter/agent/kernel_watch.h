#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/time.h"
#include "uplink/interfaces.h"
#include "uplink/monitor.h"

namespace ue::agent {

/// Keeps what the kernel knows of links, addresses and default routes current: hears its events, and says
/// when the tables are to be read again. Owned by the Agent, on the loop's thread; reads nothing on a timer.
class KernelWatch {
 public:
  struct Hooks {
    std::function<void(bool rules_changed)> ways;  ///< the way to a watched destination may be another
    std::function<void()> neighbours;              ///< a neighbour on a watched link changed
    std::function<void()> tunnels;                 ///< routes into a watched link may be others
  };

  explicit KernelWatch(boost::asio::io_context& loop) : loop_(loop) {}
  ~KernelWatch() { stop(); }
  KernelWatch(const KernelWatch&) = delete;
  KernelWatch& operator=(const KernelWatch&) = delete;
  /// Hears events from now on. Where the kernel refuses that, changes go unnoticed until read().
  void start(Hooks hooks);
  void stop();

  /// What the kernel tells of, beside what it always does.
  void watch_more(const std::function<void(uplink::Interest&)>& edit);
  /// The tables changed, and have settled since.
  bool changed(Instant now) const { return changed_ && now >= read_at_; }
  /// Reads the tables; on a failure the older inventory stands.
  void read();

  const uplink::Inventory& inventory() const { return inventory_; }
  const std::string& fault() const { return fault_; }
  std::uint64_t overruns() const { return monitor_ ? monitor_->overruns() : 0; }

 private:
  void wait();
  void drain();

  boost::asio::io_context& loop_;
  Hooks hooks_;
  std::optional<uplink::Monitor> monitor_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> ready_;
  uplink::Inventory inventory_;
  std::string fault_;
  bool changed_ = false;
  Instant read_at_{};
};

}  // namespace ue::agent
