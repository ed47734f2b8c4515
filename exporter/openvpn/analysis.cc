#include "openvpn/analysis.h"

#include <nlohmann/json.hpp>

#include "openvpn/log_line.h"

namespace ue::openvpn {

using Kind = Event::Kind;

void Analysis::feed(std::string_view chunk) {
  lines_.feed(chunk, [this](std::string_view text, std::size_t) { line(text); });
}

void Analysis::line(std::string_view text) {
  const auto event = parse_log_line(text, clock_);
  if (!event) return;
  if (event->at) now_.wall = *event->at;
  if (event->kind == Kind::exiting && tracker_.state().state != State::exiting)
    before_exit_ = history_.diagnose(tracker_.state(), now_.wall);
  history_.apply(*event, tracker_.state(), now_.wall);
  tracker_.apply(*event, now_);
  if (!event->of_client) return;
  if (event->kind == Kind::handshake_completed && tracker_.clients().find(event->peer) != nullptr) {
    const std::string_view address = event->endpoint.substr(0, event->endpoint.rfind(':'));
    auto [client, is_new] = clients_.try_emplace(std::string(event->peer));
    if (!is_new && !client->second.silent) {
      ++(client->second.address == address ? client->second.same_address_new_port
                                           : client->second.address_changes);
    }
    client->second.address = address;
    client->second.silent = false;
  } else if (event->kind == Kind::peer_silent) {
    if (const auto client = clients_.find(event->peer); client != clients_.end())
      client->second.silent = true;
  }
}

Finding Analysis::finding(const std::string& name) const {
  const Client& c = clients_.at(name);
  if (c.address_changes >= 3)
    return {Diagnosis::shared_common_name, name + " arrived " + std::to_string(c.address_changes) +
                                               " times from another address while it was still connected"};
  if (c.same_address_new_port >= 3)
    return {Diagnosis::one_way_loop,
            name + " arrived " + std::to_string(c.same_address_new_port) +
                " times from a new port of the same address, without falling silent"};
  return {Diagnosis::unknown, name + ": too few arrivals to tell"};
}

Role Analysis::role() const { return tracker_.state().role == Role::unknown ? told_ : tracker_.state().role; }

Finding Analysis::finding() const {
  if (role() != Role::server) {
    auto found = history_.diagnose(tracker_.state(), now_.wall);
    if (found.diagnosis == Diagnosis::disconnected && before_exit_.diagnosis != Diagnosis::unknown)
      found.why += "; before that " + std::string(name(before_exit_.diagnosis)) + ": " + before_exit_.why;
    return found;
  }
  for (const auto& [name, client] : clients_) {
    if (const Finding f = finding(name); f.diagnosis != Diagnosis::unknown) return f;
  }
  return {Diagnosis::unknown, "no client's arrivals show a pattern"};
}

std::string Analysis::json() const {
  const TunnelState& s = tracker_.state();
  nlohmann::json by_reason = nlohmann::json::object();
  std::uint64_t reconnects = 0;
  for (std::size_t r = 0; r < kReasons; ++r) {
    std::uint64_t n = 0;
    for (const auto count : s.reconnects[r]) n += count;
    if (n > 0) by_reason[std::string(name(static_cast<Reason>(r)))] = n;
    reconnects += n;
  }
  nlohmann::json clients = nlohmann::json::array();
  for (const auto& [client, unused] : clients_) {
    const auto* known = tracker_.clients().find(client);
    clients.push_back({{"common_name", client},
                       {"sessions", known->arrivals},
                       {"reconnects", known->arrivals - 1},
                       {"endpoint_changes", known->endpoint_changes},
                       {"diagnosis", name(finding(client).diagnosis)}});
  }
  const Finding f = finding();
  constexpr std::string_view kRoles[] = {"unknown", "client", "server"};
  return nlohmann::json{{"role", kRoles[static_cast<std::size_t>(role())]},
                        {"sessions", s.sessions},
                        {"reconnects", reconnects},
                        {"reconnects_by_reason", by_reason},
                        {"endpoint_changes", s.endpoint_changes},
                        {"soft_resets", s.soft_resets},
                        {"handshakes",
                         {{"started", s.handshakes_started},
                          {"completed", s.handshakes_completed},
                          {"failed", s.handshakes_failed}}},
                        {"diagnosis", name(f.diagnosis)},
                        {"why", f.why},
                        {"clients", clients}}
             .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
         "\n";
}

std::string Analysis::text() const {
  const Finding f = finding();
  const TunnelState& s = tracker_.state();
  std::string reasons;
  for (std::size_t r = 0; r < kReasons; ++r) {
    std::uint64_t n = 0;
    for (const auto count : s.reconnects[r]) n += count;
    if (n > 0)
      reasons +=
          (reasons.empty() ? "" : ", ") + std::to_string(n) + " " + std::string(name(static_cast<Reason>(r)));
  }
  return std::string(name(f.diagnosis)) + ": " + f.why + "\nreconnects " +
         (reasons.empty() ? "none" : reasons) + "\nsessions " + std::to_string(s.sessions) +
         ", endpoint changes " + std::to_string(s.endpoint_changes) + ", soft resets " +
         std::to_string(s.soft_resets) + ", handshakes failed " + std::to_string(s.handshakes_failed) + "\n";
}

}  // namespace ue::openvpn
