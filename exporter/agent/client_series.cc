#include "agent/client_series.h"

#include <fmt/format.h>

#include "config/file.h"
#include "metrics/utf8.h"

namespace ue::agent {

namespace {

constexpr std::size_t kShortestKey = 16;  // octets
constexpr std::size_t kLongestKey = 4096;

metrics::TunnelClient figures(const openvpn::Tunnel& tunnel, const std::string& name,
                              const std::string& label) {
  metrics::TunnelClient c;
  c.common_name = label;
  if (const auto* arrivals = tunnel.tracker().clients().find(name)) {
    c.arrivals = arrivals->counted;
    c.endpoint_changes = arrivals->endpoint_changes;
  }
  if (tunnel.ledger().empty()) return c;
  const auto* totals = tunnel.ledger().find(name);
  c.traffic = metrics::TunnelClient::Traffic{};
  if (totals != nullptr) c.traffic = {totals->sessions, totals->received, totals->sent};
  return c;
}

}  // namespace

ClientSeries::ClientSeries(const config::TunnelClients& clients)
    : limit_(clients.series), hashed_(!clients.hash_key_file.empty()) {
  if (!wanted() || !hashed_) return;
  const auto key = config::read_file(clients.hash_key_file, kLongestKey);
  if (key && key->size() >= kShortestKey) {
    key_ = *key;
    return;
  }
  fault_ = fmt::format(
      "{}; make it with `head -c 32 /dev/urandom`. No client is shown until then",
      key ? fmt::format("{}: fewer than {} octets", clients.hash_key_file, kShortestKey) : key.error());
}

std::string ClientSeries::label_of(std::string_view name) const {
  if (!hashed_) return metrics::valid_utf8(name);
  const Digest digest = hmac_sha256(as_bytes(key_), {as_bytes(name)});
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

void ClientSeries::admit(std::string_view name) {
  if (entries_.size() >= limit_ || names_.contains(name)) return;
  std::string label = label_of(name);
  // Two names that are written alike would be one series twice.
  if (label == kOthers || !labels_.insert(label).second) return;
  names_.emplace(name);
  entries_.push_back({std::string(name), std::move(label)});
}

std::shared_ptr<const std::vector<metrics::TunnelClient>> ClientSeries::read(const openvpn::Tunnel& tunnel) {
  if (!wanted() || !fault_.empty() || tunnel.state().role != openvpn::Role::server) return nullptr;
  if (newest_ && revision_ == tunnel.revision()) return newest_;
  revision_ = tunnel.revision();
  if (entries_.size() < limit_) {
    for (const auto& [name, client] : tunnel.tracker().clients().by_name()) admit(name);
  }
  auto all = std::make_shared<std::vector<metrics::TunnelClient>>();
  all->reserve(entries_.size() + 1);
  metrics::TunnelClient others;
  others.common_name = kOthers;
  const auto& state = tunnel.state();
  others.arrivals = state.sessions;
  others.endpoint_changes = state.endpoint_changes;
  if (!tunnel.ledger().empty()) {
    const auto& sum = tunnel.ledger().all();
    others.traffic = metrics::TunnelClient::Traffic{sum.sessions, sum.received, sum.sent};
  }
  for (const Entry& entry : entries_) {
    const auto& client = all->emplace_back(figures(tunnel, entry.name, entry.label));
    others.arrivals -= client.arrivals;
    others.endpoint_changes -= client.endpoint_changes;
    if (!client.traffic || !others.traffic) continue;
    others.traffic->sessions -= client.traffic->sessions;
    others.traffic->received -= client.traffic->received;
    others.traffic->sent -= client.traffic->sent;
  }
  all->push_back(std::move(others));
  newest_ = std::move(all);
  return newest_;
}

}  // namespace ue::agent
