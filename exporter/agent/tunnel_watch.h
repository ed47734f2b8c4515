#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/client_series.h"
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
  const std::string& reflector() const { return reflector_; }
  std::optional<Nanos> keepalive() const { return tunnel_.state().keepalive_ping; }
  const std::string& name() const { return name_; }
  /// Where a client's newest attempt goes, "ADDRESS:PORT"; empty: not known, or no client.
  const std::string& remote() const { return tunnel_.tracker().remote(); }
  /// The interface that its packets come out of; empty: not known.
  const std::string& device() const { return device_.empty() ? tunnel_.tracker().device() : device_; }
  /// As the label says.
  std::string_view state() const { return openvpn::name(tunnel_.state().state); }
  std::shared_ptr<metrics::Tunnel> snapshot();
  std::vector<metrics::Collector> collectors() const;

 private:
  std::string name_;
  std::string reflector_;  ///< that speaks for its path; empty: any
  std::string device_;     ///< as configured
  openvpn::Tunnel tunnel_;
  ClientSeries clients_;
};

}  // namespace ue::agent
