#pragma once
#include <memory>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "metrics/snapshot.h"
#include "openvpn/tunnel.h"

namespace ue::agent {

/// One OpenVPN instance as the agent shows it: polls its sources and translates what they tell. Owned by the
/// Agent, on the loop's thread.
class TunnelWatch {
 public:
  explicit TunnelWatch(const config::Tunnel& tunnel);

  void poll(const Now& now) { tunnel_.poll(now); }
  std::shared_ptr<const metrics::Tunnel> snapshot() const;
  std::vector<metrics::Collector> collectors() const;

 private:
  std::string name_;
  openvpn::Tunnel tunnel_;
};

}  // namespace ue::agent
