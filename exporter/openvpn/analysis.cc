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
  apply(*event);
  if (const auto arrival = fixed_port_.arrival(*event)) apply(*arrival);
}

void Analysis::apply(const Event& event) {
  history_.apply(event, tracker_.state(), now_.wall);
  tracker_.apply(event, now_);
  server_.apply(event, now_.wall);
}

Role Analysis::role() const { return tracker_.state().role == Role::unknown ? told_ : tracker_.state().role; }

Finding Analysis::finding() const {
  if (role() != Role::server) {
    auto found = history_.diagnose(tracker_.state(), now_.wall);
    if (found.diagnosis == Diagnosis::disconnected && before_exit_.diagnosis != Diagnosis::unknown)
      found.why += "; before that " + std::string(name(before_exit_.diagnosis)) + ": " + before_exit_.why;
    return found;
  }
  return server_.summary(tracker_.state(), now_.wall);
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
  for (const auto& [client, known] : tracker_.clients().by_name()) {
    clients.push_back({{"common_name", client},
                       {"sessions", known->arrivals},
                       {"reconnects", known->arrivals - 1},
                       {"endpoint_changes", known->endpoint_changes},
                       {"diagnosis", name(server_.of_client(client, s).diagnosis)}});
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
