#include "sim/nat.h"

namespace ue::sim {

Behaviour absolute_lifetime(VirtualPath& path, Nanos lifetime, Nanos since) {
  return [&path, lifetime, since](const Packet& p) {
    return path.elapsed() < since || p.since_first < lifetime;
  };
}

Behaviour idle_timeout(Nanos timeout) {
  return [timeout](const Packet& p) { return p.since_outward < timeout; };
}

Behaviour nothing() {
  return [](const Packet&) { return false; };
}

Behaviour without_flows_until_now(VirtualPath& path) {
  return [begin = path.now().boot](const Packet& p) {
    return p.now.time_since_epoch() - p.since_first >= begin;
  };
}

Behaviour only_flows_until_now(VirtualPath& path) {
  return
      [begin = path.now().boot](const Packet& p) { return p.now.time_since_epoch() - p.since_first < begin; };
}

}  // namespace ue::sim
