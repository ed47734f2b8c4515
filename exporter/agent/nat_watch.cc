#include "agent/nat_watch.h"

#include <algorithm>

#include "base/log.h"

namespace ue::agent {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kAhead = 5s;         // of a survey no ladder begins another batch
constexpr Nanos kLookAgain = 10min;  // least time between two surveys because of another mapped address

}  // namespace

void NatWatch::bind(const uplink::Binding& binding) {
  binding_ = binding;
  mapped_address_.reset();
  survey_.restart(read_clocks());
  run();
}

std::vector<probe::NatSurvey::Server> NatWatch::servers(const Paths& paths, const Witnesses& witnesses) {
  std::vector<probe::NatSurvey::Server> servers;
  const auto add = [&](probe::NatSurvey::Server server) {
    if (std::find(servers.begin(), servers.end(), server) == servers.end())
      servers.push_back(std::move(server));
  };
  for (const auto& path : paths) {
    if (const auto server = path->survey_server()) add(*server);
  }
  for (const auto& witness : witnesses) {
    if (witness->endpoint()) add({*witness->endpoint(), true, std::nullopt});
  }
  return servers;
}

/// A carrier that hands out another address may have put another NAT before it.
void NatWatch::note_mapped_address(const Now& now, const Paths& paths) {
  for (const auto& path : paths) {
    const auto& mapped = path->mapped_endpoint();
    if (!mapped) continue;
    if (mapped_address_ && *mapped_address_ != mapped->address && now.mono >= look_again_from_) {
      survey_.look_again(now);
      look_again_from_ = now.mono + kLookAgain;
    }
    mapped_address_ = mapped->address;
    return;
  }
}

void NatWatch::tick(const Now& now, const Paths& paths, const Witnesses& witnesses) {
  closed_.reset();
  if (!binding_) return;
  const auto working =
      std::find_if(paths.begin(), paths.end(), [](const auto& path) { return path->working(); });
  survey_.set_servers(now, servers(paths, witnesses));
  survey_.set_allowed(now, working != paths.end());
  note_mapped_address(now, paths);
  // In one shot the ladder has fewer rungs, and there is no time for one after the other.
  const bool wants_room =
      mode_ == Mode::service && (survey_.running() || survey_.due_within(now.mono, kAhead));
  bool ladder = false;
  for (const auto& path : paths) {
    // One ladder an uplink: of the STUN servers, that of the one which can do it.
    const bool not_his = path->tells_nothing_else() && path->endpoint() != survey_.discovery_server();
    ladder = path->hold_ladder_off(wants_room || not_his) || ladder;
  }
  if (working != paths.end() && (survey_.running() || !ladder || mode_ == Mode::one_shot))
    survey_.advance(now, (*working)->state(now.mono));
  run();
}

void NatWatch::run() {
  for (const auto& action : survey_.take_actions()) {
    if (const auto* o = std::get_if<probe::NatSurvey::Open>(&action)) open(o->flow);
    if (std::get_if<probe::NatSurvey::Close>(&action) != nullptr) closed_ = std::move(socket_);
    const auto* s = std::get_if<probe::NatSurvey::Send>(&action);
    if (s == nullptr || !socket_) continue;
    if (const auto sent = socket_->socket().send(s->packet, s->to); !sent)
      log::debug("NAT_SURVEY_NOT_SENT", "{}: {}", uplink_, sent.error());
  }
}

void NatWatch::open(probe::FlowHandle flow) {
  auto socket = uplink::UdpSocket::open(*binding_);
  if (!socket) {
    log::debug("NAT_SURVEY_SOCKET", "{}: {}", uplink_, socket.error());
    return;
  }
  const auto port = socket->local().port;
  FlowSocket::Handlers handlers;
  handlers.datagram = [this, flow, port](const uplink::Datagram& d) {
    if (!d.destination) return;
    survey_.on_datagram(read_clocks(), flow, d.bytes, d.source, {*d.destination, port});
    run();
  };
  handlers.error = [](const uplink::SocketError&) {};
  socket_ = std::make_unique<FlowSocket>(loop_, std::move(*socket), std::move(handlers));
}

metrics::Nat NatWatch::snapshot(const Paths& paths, const std::optional<IpAddress>& gateway) const {
  metrics::Nat nat;
  nat.mapping = name(survey_.mapping());
  nat.filtering = name(survey_.filtering());
  auto mapped = survey_.mapped();
  std::vector<IpAddress> beyond;
  if (gateway) beyond.push_back(*gateway);
  for (const auto& path : paths) {
    if (!mapped) mapped = path->mapped_endpoint();
    const auto& usual = path->localiser().findings().usual;
    for (const auto& router : usual ? usual->routers : std::vector<std::optional<IpAddress>>{}) {
      if (router) beyond.push_back(*router);
    }
  }
  const auto own = binding_ ? binding_->source : std::nullopt;
  if (own && mapped) nat.carrier_grade = name(probe::carrier_grade(*own, mapped->address, beyond));
  return nat;
}

}  // namespace ue::agent
