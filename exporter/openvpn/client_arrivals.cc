#include "openvpn/client_arrivals.h"

#include <utility>

namespace ue::openvpn {

ClientArrivals::Arrival ClientArrivals::arrive(std::string_view name, std::string_view endpoint,
                                               bool replayed) {
  const auto found = clients_.find(name);
  if (found != clients_.end()) {
    Client& client = found->second;
    ++client.arrivals;
    client.counted += replayed ? 0 : 1;
    client.first_seen = false;
    return Arrival{true, move(client, endpoint, replayed)};
  }
  if (clients_.size() >= kMaxClients || name.size() > kMaxName) {
    ++overflow_;
  } else {
    clients_.emplace(name, Client{NameHash{}(endpoint), 1, replayed ? 0U : 1U, 0, true});
  }
  return Arrival{};
}

bool ClientArrivals::was_known(std::string_view name, bool replayed) {
  const auto found = clients_.find(name);
  if (found == clients_.end() || !std::exchange(found->second.first_seen, false)) return false;
  found->second.endpoint_changes += replayed ? 0 : 1;
  return true;
}

bool ClientArrivals::move(std::string_view name, std::string_view endpoint, bool replayed) {
  const auto found = clients_.find(name);
  return found != clients_.end() && move(found->second, endpoint, replayed);
}

bool ClientArrivals::move(Client& client, std::string_view endpoint, bool replayed) {
  if (endpoint.empty() || client.is_at(endpoint)) return false;
  client.endpoint = NameHash{}(endpoint);
  client.endpoint_changes += replayed ? 0 : 1;
  return true;
}

std::map<std::string_view, const ClientArrivals::Client*> ClientArrivals::by_name() const {
  std::map<std::string_view, const Client*> all;
  for (const auto& [name, client] : clients_) all.emplace(name, &client);
  return all;
}

const ClientArrivals::Client* ClientArrivals::find(std::string_view name) const {
  const auto found = clients_.find(name);
  return found == clients_.end() ? nullptr : &found->second;
}

}  // namespace ue::openvpn
