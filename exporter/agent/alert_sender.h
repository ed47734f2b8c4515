#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>
#include <string>
#include <vector>

#include "alert/book.h"
#include "alert/growth.h"
#include "metrics/snapshot.h"

namespace ue::agent {

/// Direct mode, for a home without Prometheus: tells every Alertmanager of the configuration what
/// alert::conditions() sees. Owned by the Agent, called on the loop's thread; without an Alertmanager it does
/// nothing at all. One that cannot be reached is a collector that is off, and is tried again with back-off.
class AlertSender {
 public:
  /// `urls` as config::Config has them.
  AlertSender(boost::asio::io_context& loop, const std::vector<std::string>& urls);
  ~AlertSender();

  /// Call it with every snapshot; it looks at one in five seconds.
  void consider(const metrics::Snapshot& snapshot, const Now& now);
  void add_to(metrics::Snapshot& snapshot) const;

 private:
  struct Receiver;
  void post_due(std::size_t index, const Now& now);

  boost::asio::io_context& loop_;
  std::string instance_;
  alert::Growth growth_;
  alert::Book book_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::shared_ptr<bool> alive_;  ///< posts that end after us find nobody
  Instant next_{};
};

}  // namespace ue::agent
