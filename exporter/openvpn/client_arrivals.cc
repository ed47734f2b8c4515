#include "openvpn/client_arrivals.h"

namespace ue::openvpn {

ClientArrivals::Arrival ClientArrivals::arrive(std::string_view name, std::string_view endpoint) {
  const auto found = clients_.find(name);
  if (found != clients_.end()) {
    ++found->second.arrivals;
    return Arrival{true, move(name, endpoint)};
  }
  if (clients_.size() >= kMaxClients || name.size() > kMaxName) {
    ++overflow_;
  } else {
    clients_.emplace(name, Client{std::string(endpoint), 1, 0});
  }
  return Arrival{};
}

bool ClientArrivals::move(std::string_view name, std::string_view endpoint) {
  const auto found = clients_.find(name);
  if (found == clients_.end() || found->second.endpoint == endpoint) return false;
  found->second.endpoint = endpoint;
  ++found->second.endpoint_changes;
  return true;
}

const ClientArrivals::Client* ClientArrivals::find(std::string_view name) const {
  const auto found = clients_.find(name);
  return found == clients_.end() ? nullptr : &found->second;
}

}  // namespace ue::openvpn
