#include "agent/path.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "agent/path_evidence.h"
#include "agent/trail.h"
#include "base/log.h"

namespace ue::agent {

namespace {

constexpr std::size_t kRememberedSends = 16;
constexpr Nanos kAnswering = std::chrono::seconds(3);
constexpr std::size_t kMostFlows = 20;   // of one uplink: a subscriber's ports are few
constexpr std::size_t kProberFlows = 3;  // a steady and two fresh ones
constexpr std::size_t kBesides = 2;      // the size check and the survey of the NAT

std::chrono::steady_clock::time_point to_steady(Instant t) {
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(t.time_since_epoch()));
}

/// Once a minute, or with every 60th steady probe where these are rare.
probe::SizeCheck::Settings size_settings(const probe::Settings& s) {
  return {std::max<Nanos>(std::chrono::minutes(1), 60 * s.interval), s.identity};
}

}  // namespace

Path::Path(boost::asio::io_context& loop, std::string uplink, const config::Reflector& reflector, Mode mode,
           probe::Settings settings, std::optional<probe::HoldLadder::Settings> ladder,
           std::function<std::vector<Detour>()> detours)
    : loop_(loop),
      uplink_(std::move(uplink)),
      reflector_(reflector),
      mode_(mode),
      identity_(settings.identity),
      size_(size_settings(settings), random_u64),
      localiser_({settings.identity, settings.stun, 300 * settings.interval}, random_u64),
      prober_(settings, random_u64),
      timer_(loop),
      questions_(std::make_shared<Questions>(
          loop, reflector.protocol, settings.identity, std::move(detours),
          [this](const Now& now, const probe::AskOutcome& outcome) { on_asked(now, outcome); })) {
  if (ladder) ladder_.emplace(std::move(*ladder), random_u64);
}

Path::~Path() {
  timer_.cancel();
  questions_->close();
}

void Path::on_asked(const Now& now, const probe::AskOutcome& outcome) {
  const bool about_place = outcome.answer && localiser_.on_answer(now, *outcome.answer);
  if (!about_place) prober_.on_asked(now, outcome);
  run_actions();
}

void Path::bind(const uplink::Binding& binding, const Endpoint& reflector) {
  binding_ = binding;
  endpoint_ = reflector;
  restart();
}

void Path::rebuild() {
  if (binding_) restart();
}

void Path::restart() {
  questions_->open(*binding_, *endpoint_);
  const auto now = read_clocks();
  prober_.restart(now);
  let_others(now, false);
  if (ladder_) ladder_->restart(now);
  size_.restart(now, binding_->family);
  localiser_.restart(now);
  run_actions();
}

void Path::stop() {
  if (!binding_) return;
  questions_->close();
  const auto now = read_clocks();
  prober_.stop(now);
  let_others(now, false);
  localiser_.restart(now);
  run_actions();
  flows_.clear();
  binding_.reset();
  timer_.cancel();
}

void Path::run_actions() {
  for (auto actions = prober_.take_actions(); !actions.empty(); actions = prober_.take_actions())
    run(std::move(actions));
  if (ladder_) run(ladder_->take_actions());
  run(size_.take_actions());
  run(localiser_.take_actions());
  arm_timer();
}

void Path::run(std::vector<probe::Action> actions) {
  for (auto& action : actions) {
    if (const auto* o = std::get_if<probe::OpenFlow>(&action)) open_flow(*o);
    if (const auto* c = std::get_if<probe::CloseFlow>(&action)) flows_.erase(c->flow);
    if (const auto* s = std::get_if<probe::SendProbe>(&action)) send_probe(*s);
    if (const auto* a = std::get_if<probe::AskReflector>(&action)) questions_->ask(*a);
  }
}

void Path::advance(const Now& now) {
  prober_.lend_slots(localiser_.wants_slots());
  prober_.advance(now);
  if (prober_.take_lent_slot()) localiser_.slot(now);
  const auto path = state(now.mono);
  if (ladder_) ladder_->advance(now, path);
  size_.advance(now, path);
  localiser_.advance(now, path);
}

probe::PathState Path::state(Instant now) const {
  return {prober_.rtt().loss_timeout(), prober_.observe(now).losses_needed, prober_.instance_id(),
          prober_.open_flows() + localiser_.open_flows(), keepalive_};
}

void Path::arm_timer() {
  const auto at = std::min({prober_.wake_at(), size_.wake_at(), localiser_.wake_at(),
                            ladder_ ? ladder_->wake_at() : Instant::max()});
  if (at == Instant::max()) return;
  timer_.expires_at(to_steady(at));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->advance(read_clocks());
    self->run_actions();
  });
}

void Path::open_flow(const probe::OpenFlow& flow) {
  const auto handle = flow.flow;
  auto socket = uplink::UdpSocket::open(*binding_, {flow.dont_fragment});
  if (!socket) {
    if (send_fault_.empty())
      log::warn("PROBE_SOCKET", "{} to {}: {}", uplink_, reflector_.name, socket.error());
    send_fault_ = socket.error();
    return;
  }
  FlowSocket::Handlers handlers;
  handlers.datagram = [this, handle](const uplink::Datagram& d) {
    const bool genuine = d.source == *endpoint_;
    ++datagrams_received_;
    if (probe::HoldLadder::owns(handle)) {
      ladder_->on_datagram(read_clocks(), handle, d.bytes, genuine);
    } else if (probe::Localiser::owns(handle)) {
      localiser_.on_datagram(read_clocks(), handle, d.bytes, genuine);
    } else if (probe::SizeCheck::owns(handle)) {
      size_.on_datagram(read_clocks(), handle, d.bytes, genuine);
    } else {
      prober_.on_datagram(read_clocks(), handle, d.bytes, genuine, d.received);
    }
    run_actions_soon();
  };
  handlers.error = [this, handle](const uplink::SocketError& e) { on_error(handle, e); };
  flows_[handle].socket = std::make_unique<FlowSocket>(loop_, std::move(*socket), std::move(handlers));
}

/// Closing a socket from its own handler is left to the loop.
void Path::run_actions_soon() {
  boost::asio::post(loop_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->run_actions();
  });
}

void Path::send_probe(const probe::SendProbe& probe) {
  const auto f = flows_.find(probe.flow);
  if (f == flows_.end()) return;
  const auto sent = f->second.socket->socket().send(probe.packet, *endpoint_, probe.ttl);
  // One too big for the interface says so in the error queue; one that ends on the way is no probe.
  if (probe::SizeCheck::owns(probe.flow) || probe.ttl) return;
  if (!sent) {
    if (send_fault_.empty())
      log::warn("PROBE_NOT_SENT", "{} to {}: {}", uplink_, reflector_.name, sent.error());
    if (!send_fault_since_) send_fault_since_ = read_clocks().mono;
    send_fault_ = sent.error();
    return;
  }
  send_fault_.clear();
  send_fault_since_.reset();
  auto& remembered = f->second.sent;
  remembered.emplace_back(sent->id, probe.sequence);
  if (remembered.size() > kRememberedSends) remembered.pop_front();
}

void Path::on_error(probe::FlowHandle handle, const uplink::SocketError& error) {
  const auto f = flows_.find(handle);
  if (f == flows_.end()) return;
  if (const auto* tx = std::get_if<uplink::TxTimestamp>(&error)) {
    for (const auto& [id, sequence] : f->second.sent) {
      if (id == tx->id) prober_.on_transmitted(handle, sequence, tx->time);
    }
  } else if (const auto* local = std::get_if<uplink::LocalError>(&error)) {
    if (local->code == EMSGSIZE) note_too_big(handle, local->mtu);
  } else if (const auto* icmp = std::get_if<uplink::IcmpError>(&error)) {
    on_icmp(handle, *icmp);
  }
}

void Path::on_icmp(probe::FlowHandle handle, const uplink::IcmpError& error) {
  const auto now = read_clocks().mono;
  const auto kind = uplink::icmp_name(error);
  // What was sent to end on the way is no error.
  if (kind == "time-exceeded" && localiser_.on_time_exceeded(handle, error.offender, error.payload)) return;
  if (kind == "fragmentation-needed") {
    note_too_big(handle, error.mtu);
  } else if (kind != "time-exceeded") {
    localiser_.on_refused({error.type, error.code, error.offender, 0, now});
  }
  icmp_.note(error, now);
}

void Path::note_too_big(probe::FlowHandle handle, std::uint32_t mtu) {
  size_.on_too_big(read_clocks(), handle, mtu);
  run_actions_soon();
}

std::optional<FarEndRefusal> Path::refusal() const {
  const auto& by_icmp = icmp_.refusal();
  const auto& over_tcp = questions_->refusal();
  if (!by_icmp) return over_tcp;
  return over_tcp && over_tcp->at > by_icmp->at ? over_tcp : by_icmp;
}

bool Path::has_port(std::uint16_t port) const {
  return std::any_of(flows_.begin(), flows_.end(),
                     [port](const auto& f) { return f.second.socket->socket().local().port == port; });
}

/// Those that measure beside the prober, or not.
void Path::let_others(const Now& now, bool working) {
  working_ = working;
  if (ladder_) ladder_->set_allowed(now, working);
  size_.set_allowed(now, working && reflector_.protocol == config::Protocol::stamp);
}

bool Path::judge(const Now& now, const verdict::Evidence& evidence) {
  keepalive_ = evidence.figures.keepalive;
  const auto heard = judge_.update(now.mono, evidence.facts, prober_.observe(now.mono).recovered);
  if (heard != verdict::Heard::stands || conclusion_.why.empty())
    conclusion_ = verdict::conclude(judge_.verdict(), evidence);
  const auto standing = standing_for(judge_.verdict());
  prober_.set_standing(now, standing);
  const bool hasty = mode_ == Mode::one_shot && answers(now.mono);
  let_others(now, running() && silence_tells(working_ || hasty, standing, evidence.facts.steady));
  if (running()) localise(now, evidence.facts);
  run_actions();
  return heard == verdict::Heard::changed;
}

std::optional<probe::NatSurvey::Server> Path::survey_server() const {
  if (!running() || !endpoint_) return std::nullopt;
  return probe::NatSurvey::Server{*endpoint_, reflector_.protocol == config::Protocol::stun, identity_};
}

bool Path::hold_ladder_off(bool others_first) {
  if (!ladder_) return false;
  ladder_->hold_off(others_first);
  arm_timer();
  return ladder_->running();
}

/// So far, as little as is known.
bool Path::answers(Instant now) const {
  const auto o = prober_.observe(now);
  return o.steady != false && o.last_reply && now - *o.last_reply < kAnswering &&
         o.losses_in_a_row < probe::dying(o.losses_needed);
}

bool Path::settled(Instant now) const {
  if (localiser_.learns(now)) return false;
  if (!working_) return true;
  // The stream's bracket, with its confirmation; then the NAT that forgets. A ladder that may not begin once
  // the NAT has been surveyed has nothing to climb on.
  if (!ladder_ || ladder_->refused() || ladder_->held_off()) return true;
  if (!ladder_->stream_known()) return false;
  const auto stream = stream_lifetime();
  const bool asked_for = conclusion().verdict != verdict::Verdict::mtu_blackhole;
  return !asked_for || !stream || !stream->upper || localiser_.keepalives_done() ||
         localiser_.findings().forgetful;
}

void Path::localise(const Now& now, const verdict::Facts& facts) {
  const auto standing = standing_for(conclusion().verdict);
  auto task =
      localiser_task(conclusion(), facts, prober_.silent_flow(), stream_lifetime(), mode_ == Mode::one_shot);
  const auto taken =
      std::max(prober_.open_flows(), kProberFlows) + kBesides + (ladder_ ? ladder_->open_rungs() : 0);
  task.room = taken < kMostFlows ? kMostFlows - taken : 0;
  task.payload = size_.payload();
  // Where large packets end says something only beside the way that small ones go.
  if (task.kind == probe::Localiser::Task::Kind::large && !localiser_.findings().usual)
    task.kind = probe::Localiser::Task::Kind::usual;
  task.paced = standing == probe::Standing::no_return;
  localiser_.set_task(now, task);
  if (ladder_) ladder_->set_paused(localiser_.wants_room());
  const auto& usual = localiser_.findings().usual;
  if (!usual || usual == known_way_) return;
  known_way_ = usual;
  log::info("WAY_LEARNED", "{} to {}: {}", uplink_, reflector_.name, to_text(*usual));
}

std::optional<probe::MappingLifetime::Bracket> Path::stream_lifetime() const {
  return ladder_ ? ladder_->lifetime(probe::Pattern::stream).believed() : std::nullopt;
}

}  // namespace ue::agent
