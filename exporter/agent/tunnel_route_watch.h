#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "metrics/snapshot.h"
#include "route/device_routes.h"
#include "uplink/interfaces.h"

namespace ue::agent {

/// Watches the routes into the devices of OpenVPN tunnels, and says where they lead into a black hole because
/// the tunnel is not connected. Owned by the Agent, on the loop's thread; reads the kernel's tables only when
/// a route into such a device, or a device, changed.
class TunnelRouteWatch {
 public:
  struct Tunnel {
    std::string device;  ///< empty: not known
    std::string state;   ///< as the label says
    bool operator==(const Tunnel&) const = default;
  };

  /// Of these links every route is to be told of. Call the agent's hook when it is another than before.
  explicit TunnelRouteWatch(std::function<void(const std::vector<int>&)> watch) : watch_(std::move(watch)) {}

  /// What the tunnels are now, by name; call it often.
  void set(const std::map<std::string, Tunnel>& tunnels, const uplink::Inventory& inventory, Instant now);
  /// The kernel told of something that may change their routes.
  void look_soon() { stale_ = true; }
  void add_to(metrics::Tunnel& tunnel) const;
  void add_to(metrics::Snapshot& snapshot) const;

 private:
  struct Entry {
    Tunnel tunnel;
    int ifindex = 0;  ///< 0: there is no such device
    bool held = false;
    std::optional<Instant> apart_since;  ///< not connected
    std::optional<route::DeviceRoutes> routes;
    std::string fault;
  };
  void look(Instant now);
  void judge(const std::string& name, Entry& entry, Instant now);

  std::function<void(const std::vector<int>&)> watch_;
  std::map<std::string, Entry> entries_;
  std::vector<int> links_;
  std::optional<uplink::NetlinkSocket> socket_;
  std::string fault_;
  bool stale_ = false;
  Instant free_at_{};  ///< not before it reads again
};

}  // namespace ue::agent
