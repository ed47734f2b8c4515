#include "openvpn/server_history.h"

#include <algorithm>
#include <utility>

namespace ue::openvpn {

namespace {

using Kind = Event::Kind;
/// Log times have a resolution of a second, and a reconnect takes one to three.
constexpr Nanos kRoughly = std::chrono::seconds(3);
/// Returns further apart than this are no loop: keepalive limits and NAT lifetimes are shorter.
constexpr Nanos kLongestPeriod = std::chrono::minutes(30);
constexpr std::size_t kReturns = 3;
constexpr std::size_t kRefusals = 3;
constexpr Nanos kRefusalsWithin = std::chrono::minutes(10);
/// After its restart a server's clients need their keepalive limit, and a moment, to return.
constexpr Nanos kSettling = std::chrono::minutes(1);

Nanos restart_of(const TunnelState& state) { return state.keepalive_restart.value_or(Nanos(0)); }

std::uint32_t short_hash(std::string_view text) { return static_cast<std::uint32_t>(NameHash{}(text)); }

std::string_view address_of(std::string_view endpoint) { return endpoint.substr(0, endpoint.rfind(':')); }

}  // namespace

void ServerHistory::Client::push_back(const Arrival& arrival) {
  if (size_ == kMaxArrivals)
    std::copy(arrivals_.begin() + 1, arrivals_.end(), arrivals_.begin());
  else
    ++size_;
  arrivals_[size_ - 1U] = arrival;
}

void ServerHistory::apply(const Event& event, WallTime now) {
  const WallTime at = event.at.value_or(now);
  ran_ = ran_ || event.of_client || event.kind == Kind::connected;
  switch (event.kind) {
    case Kind::process_started:
    case Kind::reconnecting:
      if (event.of_client) return;
      clients_.clear();  // they all return, and nobody's fault is it
      if (!event.replayed && std::exchange(ran_, false)) restarted_ = at;
      return;
    case Kind::handshake_completed:
      if (event.of_client) arrive(event, at);
      return;
    case Kind::auth_failed:
      if (!event.of_client) return;
      refusals_.push_back(at);
      if (refusals_.size() > kRefusals) refusals_.pop_front();
      [[fallthrough]];  // what comes back then was sent away
    case Kind::peer_silent:
    case Kind::peer_leaving:
      return leave(event);
    default:
      return;
  }
}

/// What returns after that was not thrown out by its own keepalive. Under duplicate-cn older sessions of a
/// client that has gone on from another port stay until they fall silent: that says nothing of the newest.
void ServerHistory::leave(const Event& event) {
  const auto known = clients_.find(event.peer);
  if (known == clients_.end()) return;
  Client& client = known->second;
  const std::uint32_t endpoint = short_hash(event.endpoint);
  for (std::size_t i = 0; event.kind == Kind::peer_silent && i + 1 < client.size(); ++i)
    if (client[i].endpoint == endpoint && client.back().endpoint != endpoint) return;
  client.clear();
}

void ServerHistory::arrive(const Event& event, WallTime at) {
  Client* known = admit(clients_, event.peer);
  if (known == nullptr) return;
  Client& client = *known;
  // A clock that was set, or a source that does not tell addresses: nothing follows from what was before.
  if (event.endpoint.empty() || (!client.empty() && at < client.back().at)) client.clear();
  if (!event.endpoint.empty())
    client.push_back({at, short_hash(address_of(event.endpoint)), short_hash(event.endpoint)});
}

/// Not one that has just returned, and may be about to do so again.
bool ServerHistory::stays(const Client& client, const TunnelState& state, WallTime now) {
  if (client.size() < 2) return true;
  const Nanos before = client.back().at - client[client.size() - 2].at;
  const Nanos limit = restart_of(state) > Nanos(0) ? 2 * restart_of(state) : kLongestPeriod;
  return now - client.back().at > std::min(before, limit) + kRoughly;
}

/// The newest returns that are evenly spaced and alike in kind; the first of them ended a session of any
/// length.
ServerHistory::Pattern ServerHistory::pattern(const Client& client, const TunnelState& state) {
  Pattern found;
  if (client.size() < kReturns + 1) return found;
  const std::size_t last = client.size() - 1;
  found.newest = client[last].at;
  found.period = client[last].at - client[last - 1].at;
  if (found.period > kLongestPeriod || found.period < restart_of(state) - kRoughly)
    return found;  // nobody is thrown out sooner
  const auto same_place = [&](std::size_t i) { return client[i].address == client[i - 1].address; };
  const auto in_turn = [&](std::size_t i) {
    return !same_place(i) && (i < 2 || client[i].address == client[i - 2].address);
  };
  const bool one_place = same_place(last);
  std::size_t even = 0;
  for (std::size_t i = last; i > 0 && (one_place ? same_place(i) : in_turn(i)); --i) {
    const Nanos gap = client[i].at - client[i - 1].at;
    const bool alike = std::chrono::abs(gap - found.period) <= kRoughly + found.period / 5;
    if (alike && even == found.returns) ++even;
    ++found.returns;
    if (!alike) break;
  }
  if (found.returns >= kReturns && even >= kReturns - 1)
    found.diagnosis = !one_place                              ? Diagnosis::shared_common_name
                      : state.push_told && !state.server_ping ? Diagnosis::keepalive_mismatch
                                                              : Diagnosis::one_way_loop;
  return found;
}

Finding ServerHistory::finding(std::string_view name, const Pattern& p) {
  const std::string client(name);
  const std::string every = std::to_string(p.returns) + " times, about every " + format_duration(p.period);
  if (p.diagnosis == Diagnosis::shared_common_name)
    return {p.diagnosis,
            "two addresses take turns as " + client + ", " + every +
                ": two clients share one certificate and throw each other out. Give each its own, "
                "or set duplicate-cn"};
  if (p.diagnosis == Diagnosis::keepalive_mismatch)
    return {p.diagnosis,
            client + " returned " + every +
                ", from the same address and without falling silent, and this server tells nobody that it "
                "pings: set `keepalive` here"};
  if (p.diagnosis == Diagnosis::one_way_loop)
    return {p.diagnosis, client + " returned " + every +
                             ", from the same address and without falling silent: its packets "
                             "arrive here and ours do not reach it (or two clients behind that address share "
                             "its certificate)"};
  return {Diagnosis::unknown, client + ": its arrivals show no pattern"};
}

Finding ServerHistory::of_client(std::string_view name, const TunnelState& state) const {
  const auto known = clients_.find(name);
  return finding(name, known == clients_.end() ? Pattern{} : pattern(known->second, state));
}

Finding ServerHistory::judge(const TunnelState& state, WallTime now, bool to_the_end) const {
  if (state.state == State::exiting && !to_the_end) return {Diagnosis::disconnected, "the process has left"};
  const std::pair<const std::string, Client>* worst = nullptr;
  Pattern worst_pattern;
  for (const auto& client : clients_) {
    const Pattern p = pattern(client.second, state);
    if (p.diagnosis == Diagnosis::unknown) continue;
    if (!to_the_end && now - p.newest > 2 * p.period + kSettling) continue;  // it stays connected, or gave up
    const bool worse = worst == nullptr ||
                       (p.diagnosis != worst_pattern.diagnosis ? p.diagnosis == Diagnosis::shared_common_name
                                                               : client.first < worst->first);
    if (!worse) continue;
    worst = &client;
    worst_pattern = p;
  }
  if (worst != nullptr) return finding(worst->first, worst_pattern);
  if (refusals_.size() >= kRefusals && now - refusals_.front() <= kRefusalsWithin)
    return {Diagnosis::auth_failure, "credentials were refused " + std::to_string(kRefusals) +
                                         " times within " +
                                         format_duration(refusals_.back() - refusals_.front())};
  if (state.state == State::exiting) return {Diagnosis::disconnected, "the process has left"};
  if (restarted_ && now - *restarted_ <= kSettling + 2 * restart_of(state))
    return {Diagnosis::server_restart, "the server's process started again " +
                                           format_duration(std::max(now - *restarted_, Nanos(0))) +
                                           " ago: its clients return one by one"};
  if (state.state == State::connected &&
      std::any_of(clients_.begin(), clients_.end(),
                  [&](const auto& client) { return stays(client.second, state, now); }))
    return {Diagnosis::healthy, std::to_string(clients_.size()) + " clients have arrived, none in a loop"};
  return {Diagnosis::unknown, "no client's arrivals show a pattern"};
}

Finding ServerHistory::diagnose(const TunnelState& state, WallTime now) const {
  return judge(state, now, false);
}

Finding ServerHistory::summary(const TunnelState& state, WallTime end) const {
  return judge(state, end, true);
}

}  // namespace ue::openvpn
