#include "openvpn/tunnel.h"

namespace ue::openvpn {

namespace {

/// A finding also changes with time alone; a server's looks at every client.
constexpr Nanos kConcludeEvery = std::chrono::seconds(1);

}  // namespace

Tunnel::Tunnel(const config::Tunnel& tunnel) : name_(tunnel.name) {
  if (!tunnel.log.empty()) sources_[Source::log] = log_.emplace(tunnel.name, tunnel.log).state();
  if (!tunnel.status.empty()) sources_[Source::status] = status_.emplace(tunnel.name, tunnel.status).state();
  if (!tunnel.management.empty())
    sources_[Source::management] =
        management_.emplace(tunnel.name, tunnel.management, tunnel.management_password_file).state();
  if (!tunnel.journal.empty())
    sources_[Source::journal] = journal_.emplace(tunnel.name, tunnel.journal).state();
}

bool Tunnel::poll(const Now& now) {
  if (!began_) began_ = now.wall;
  bool more = false;
  if (log_) {
    more = log_->poll([&](const Event& event) { take(event, Channel::log, false, now); });
    sources_[Source::log] = log_->state();
  }
  if (journal_) {
    more = journal_->poll([&](const Event& event) { take(event, Channel::journal, false, now); }) || more;
    sources_[Source::journal] = journal_->state();
  }
  if (management_) {
    more = poll_management(now) || more;
    sources_[Source::management] = management_->state();
  }
  if (status_) {
    status_->poll(now, [&](const StatusReport& report, WallTime at) {
      Now written = now;
      written.wall = at;
      if (report.role == Role::server) return take_clients(report, written);
      status_traffic_.observe(report.received, report.sent, written);
      ++revision_;
    });
    sources_[Source::status] = status_->state();
  }
  conclude(now);
  return more;
}

bool Tunnel::poll_management(const Now& now) {
  const ManagementSession::Sink sink{[&](const Event& event, Channel channel, bool history) {
                                       if (greetings_ != management_->greetings()) {
                                         greetings_ = management_->greetings();
                                         merger_.retell(Channel::management_log);
                                         merger_.retell(Channel::management_state);
                                       }
                                       take(event, channel, history, now);
                                     },
                                     [&](std::uint64_t received, std::uint64_t sent) {
                                       management_traffic_.observe(received, sent, now);
                                       ++revision_;
                                     },
                                     [&](const StatusReport& report) {
                                       // Of a client the counters come more often, and do not begin anew with
                                       // each session.
                                       if (!status_ && report.role == Role::server) take_clients(report, now);
                                     }};
  return management_->poll(now, sink);
}

void Tunnel::take(Event event, Channel channel, bool history, const Now& now) {
  if (history && event.at) event.replayed = *event.at < *began_;
  if (!merger_.is_new(event, channel, history, now)) return;
  ++revision_;
  apply(event, now);
  if (const auto arrival = fixed_port_.arrival(event)) apply(*arrival, now);
}

void Tunnel::apply(const Event& event, const Now& now) {
  client_history_.apply(event, tracker_.state(), now.wall);
  server_history_.apply(event, now.wall);
  tracker_.apply(event, now);
}

void Tunnel::take_clients(const StatusReport& report, const Now& now) {
  ++revision_;
  if (tracker_.state().role != Role::server) {
    for (const auto kind : {Event::Kind::listening, Event::Kind::connected}) {
      Event event;
      event.kind = kind;
      event.source = Source::status;
      event.replayed = true;
      tracker_.apply(event, now);
    }
  }
  std::string buffer;
  ledger_.apply(report, [&](const StatusClient& client, bool first) {
    Event event;
    event.kind = Event::Kind::handshake_completed;
    event.source = Source::status;
    event.of_client = true;
    event.peer = client.common_name;
    event.endpoint = plain_endpoint(client.real_address, buffer);
    event.at = client.since_at;
    event.replayed = first && (!client.since_at || *client.since_at < *began_);
    take(event, Channel::status, false, now);
  });
}

const TrafficMeter* Tunnel::traffic() const {
  if (!management_traffic_.empty() && (sources_.at(Source::management).up || status_traffic_.empty()))
    return &management_traffic_;
  return status_traffic_.empty() ? nullptr : &status_traffic_;
}

void Tunnel::conclude(const Now& now) {
  if (concluded_ == revision_ && now.mono - concluded_at_ < kConcludeEvery) return;
  concluded_ = revision_;
  concluded_at_ = now.mono;
  if (tracker_.state().role == Role::server) {
    finding_ = server_history_.diagnose(tracker_.state(), now.wall);
    return;
  }
  if (const TrafficMeter* meter = traffic()) {
    if (const auto silence = meter->silence(now.mono))
      client_history_.observe(tracker_.state(), *silence, now.wall);
  }
  finding_ = client_history_.diagnose(tracker_.state(), now.wall);
}

}  // namespace ue::openvpn
