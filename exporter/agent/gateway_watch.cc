#include "agent/gateway_watch.h"

#include "base/log.h"

namespace ue::agent {

void GatewayWatch::set(const std::map<std::string, Gateway>& gateways) {
  std::map<std::string, Entry> next;
  for (const auto& [uplink, gateway] : gateways) {
    const auto before = entries_.find(uplink);
    next[uplink] = before != entries_.end() && before->second.gateway == gateway
                       ? before->second
                       : Entry{gateway, std::nullopt};
  }
  entries_ = std::move(next);
}

std::vector<int> GatewayWatch::links() const {
  std::vector<int> all;
  for (const auto& [uplink, entry] : entries_) all.push_back(entry.gateway.ifindex);
  return all;
}

bool GatewayWatch::look() {
  if (entries_.empty()) return false;
  if (!socket_) {
    auto socket = uplink::NetlinkSocket::open();
    if (!socket) return false;  // the inventory's own failure tells of it
    socket_.emplace(std::move(*socket));
  }
  bool changed = false;
  for (auto& [uplink, entry] : entries_) {
    const auto& gateway = entry.gateway;
    const auto now = uplink::reachable(uplink::look_up_neighbour(*socket_, gateway.ifindex, gateway.address),
                                       entry.reachable);
    if (now == entry.reachable) continue;
    if (now == false) {
      log::warn("GATEWAY_SILENT", "{}: the next hop {} does not answer on the link (look at the router)",
                uplink, gateway.address.to_string());
    } else if (now == true && entry.reachable == false) {
      log::info("GATEWAY_BACK", "{}: the next hop {} answers again", uplink, gateway.address.to_string());
    }
    entry.reachable = now;
    changed = true;
  }
  return changed;
}

std::optional<bool> GatewayWatch::reachable(const std::string& uplink) const {
  const auto found = entries_.find(uplink);
  return found != entries_.end() ? found->second.reachable : std::nullopt;
}

}  // namespace ue::agent
