#include "probe/path_prober.h"

#include <algorithm>

#include "probe/stun_packets.h"

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostFlows = 20;        // open at once on an uplink
constexpr std::size_t kMostBesideOthers = 9;  // ... where a ladder has ten, and a size check one
// Between answers beside the silence: new flows are opened every 5 s while nobody tells whether packets
// arrive.
constexpr Nanos kPause = 8s;
constexpr Nanos kPauseOfPaced = 45s;  // ... and one packet in three seconds has to serve all
constexpr double kUsualLoss = .12;    // ratio from which on a single loss is nothing to ask about
constexpr Nanos kSweepMayWait = 1s;   // for something else to wake the prober: sleeping costs nothing

}  // namespace

PathProber::PathProber(Settings settings, RandomSource random)
    : settings_(std::move(settings)),
      random_(std::move(random)),
      forward_alarm_(settings_.loss_threshold),
      return_alarm_(settings_.loss_threshold),
      unattributed_alarm_(settings_.loss_threshold) {}

void PathProber::start(const Now& now) {
  running_ = true;
  started_ = now.mono;
  fine_since_ = now.mono;
  next_sweep_ = now.mono + 1s;
  next_fresh_ = now.mono + jitter(1s);
  next_paced_ = now.mono;
  steady_ = open(now, Role::steady).handle;
  advance(now);
}

void PathProber::stop(const Now& now) {
  sweep(now);
  for (auto& flow : flows_) {
    settlement_.void_window(*flow);
    close(*flow);
  }
  flows_.clear();
  mapping_.clear();
  steady_ = 0;
  burst_left_ = 0;
  running_ = false;
}

void PathProber::restart(const Now& now) {
  stop(now);
  history_.clear();
  delivery_.clear();
  arrival_told_.reset();
  asking_.reset();
  silent_since_.reset();
  newest_answered_.reset();
  newest_lost_.clear();
  lost_everywhere_ = 0;
  if (standing_ == Standing::fine)
    inquest_.reset();
  else
    inquest_.emplace(now.mono, Nanos::zero());
  start(now);
}

void PathProber::advance(const Now& now) {
  if (!running_) return;
  expire(now);
  assess(now);
  if (standing_ == Standing::no_return) {
    send_paced(now);
  } else {
    send_due(now);
  }
  ask_if_due(now);
  if (now.mono >= next_sweep_) sweep(now);
}

Instant PathProber::wake_at() const {
  if (!running_) return Instant::max();
  Instant at = next_sweep_ + kSweepMayWait;
  const auto timeout = rtt_.loss_timeout();
  const bool paced = standing_ == Standing::no_return;
  Instant send = paced ? next_paced_ : next_fresh_;
  for (const auto& flow : flows_) {
    at = std::min(at, flow->next_expiry(timeout));
    if (!paced) send = std::min(send, flow->next_send);
  }
  at = std::min(at, send);
  if (burst_left_ > 0 && !paced) at = std::min(at, next_burst_);
  if (const auto due = asking_.due(asking_need())) at = std::min(at, std::max(*due, started_));
  return at;
}

Flow* PathProber::of_role(Role role) const {
  for (const auto& flow : flows_) {
    if (flow->open && flow->role == role) return flow.get();
  }
  return nullptr;
}

std::size_t PathProber::open_flows() const {
  return static_cast<std::size_t>(
      std::count_if(flows_.begin(), flows_.end(), [](const auto& f) { return f->open; }));
}

Flow& PathProber::open(const Now& now, Role role) {
  if (open_flows() >= (standing_ == Standing::fine ? kMostBesideOthers : kMostFlows)) {
    if (auto* oldest = of_role(Role::fresh)) close(*oldest);
  }
  const auto handle = next_handle_++;
  const auto ssid = static_cast<std::uint16_t>(1 + random_() % 65535);
  auto& flow = *flows_.emplace_back(std::make_unique<Flow>(handle, random_(), ssid, role, now.mono));
  flow.next_send = now.mono;
  actions_.emplace_back(OpenFlow{handle});
  if (role != Role::steady) history_.opened(flow);
  return flow;
}

void PathProber::close(Flow& flow) {
  if (!flow.open) return;
  flow.open = false;
  flow.next_send = Instant::max();
  history_.closed(flow);
  mapping_.closed(flow.handle);
  actions_.emplace_back(CloseFlow{flow.handle});
}

void PathProber::close_role(Role role) {
  for (auto& flow : flows_) {
    if (flow->role == role) close(*flow);
  }
}

void PathProber::expire(const Now& now) {
  const auto timeout = rtt_.loss_timeout();
  for (auto& flow : flows_) {
    if (flow->next_expiry(timeout) > now.mono) continue;
    const auto lost = flow->expire(now.mono, timeout);
    if (lost == 0) continue;
    lost_everywhere_ += lost;
    newest_lost_.push_back(*flow->newest_missing());
    if (newest_lost_.size() > LossModel::kMostNeeded) newest_lost_.pop_front();
    history_.update(*flow);
    // A first loss is asked again at once, where it is news: chance and fault part sooner.
    const bool news =
        flow->role == Role::successor || (flow->handle == steady_ && losses_.loss() < kUsualLoss);
    if (flow->open && news && flow->loss_run() == 1 && standing_ != Standing::no_return)
      flow->next_send = now.mono;
  }
}

void PathProber::on_datagram(const Now& now, FlowHandle handle, ByteView datagram, bool from_reflector,
                             WallTime received) {
  auto* flow = find(handle);
  if (flow == nullptr) return;
  if (!from_reflector) {
    ++refused_["foreign_source"];
    return;
  }
  const auto parsed = settings_.stun ? parse_stun_reply(datagram, flow->flow_id)
                                     : parse_reply(datagram, settings_.identity, flow->ssid, flow->flow_id);
  if (const auto* why = std::get_if<Refusal>(&parsed)) {
    ++refused_[std::string(name(*why))];
    return;
  }
  const auto& reply = std::get<Reply>(parsed);
  const auto answer = flow->record_answer(reply.base.sender_sequence, reply.base.sequence, now, received);
  if (answer.arrival != Flow::Arrival::answered) {
    static constexpr const char* kReasons[] = {"", "duplicate", "late", "never_sent"};
    ++refused_[kReasons[static_cast<std::size_t>(answer.arrival)]];
    return;
  }
  last_reply_ = now.mono;
  lost_everywhere_ = 0;
  newest_answered_ = std::max(newest_answered_.value_or(answer.sent), answer.sent);
  settlement_.count_answer(answer.kind, answer.sent);
  if (inquest_ && handle != steady_)
    inquest_->note_answer(answer.sent, standing_ == Standing::no_return ? kPauseOfPaced : kPause);
  if (handle == steady_ && answer.ended_run >= suspicious()) history_.forgive();
  if (answer.rtt) {
    // What the reflector itself took is not the path's.
    const auto residence = reply.base.timestamp.to_wall() - reply.base.receive_timestamp.to_wall();
    rtt_.record(residence > Nanos::zero() && residence < *answer.rtt ? *answer.rtt - residence : *answer.rtt);
  }
  if (reply.from_ours) settlement_.learn_instance(reply.instance_id, now.mono, true);
  if (reply.from_ours || reply.base.sequence < reply.base.sender_sequence) settlement_.note_stateful();
  if (reply.mapped_endpoint) mapping_.seen(handle, reply.base.sender_sequence, *reply.mapped_endpoint);
  record_losses(answer.ended_run);
  history_.update(*flow);
  assess(now);
}

void PathProber::record_losses(std::uint32_t ended_run) {
  if (standing_ != Standing::fine || silent_since_) return;  // a fault is no measure of chance
  if (ended_run < losses_.whole_run()) losses_.record_run(ended_run);
  losses_.record_answer();
}

void PathProber::on_transmitted(FlowHandle handle, std::uint32_t sequence, WallTime when) {
  if (auto* flow = find(handle)) flow->record_transmit_time(sequence, when);
}

void PathProber::ask_if_due(const Now& now) {
  const auto due = asking_.due(asking_need());
  if (!due || *due > now.mono) return;
  AskReflector ask;
  if (const auto* s = steady()) ask.flow_ids.push_back(s->flow_id);
  for (auto f = flows_.rbegin(); f != flows_.rend() && ask.flow_ids.size() < stamp::kMaxQueryFlows; ++f) {
    const bool unsettled = std::any_of((*f)->pending.begin(), (*f)->pending.end(),
                                       [](const auto& p) { return p.missing && !p.answered; });
    if ((*f)->handle != steady_ && unsettled) ask.flow_ids.push_back((*f)->flow_id);
  }
  asking_.asked(now.mono);
  actions_.emplace_back(std::move(ask));
}

void PathProber::on_asked(const Now& now, const AskOutcome& outcome) {
  if (!outcome.telling) return asking_.give_up();
  asking_.done(now.mono, outcome.answer.has_value() || outcome.own, outcome.own);
  if (outcome.answer) take_answer(now, outcome);
  remember_arrival(now.mono);
  assess(now);
}

void PathProber::take_answer(const Now& now, const AskOutcome& outcome) {
  const auto& answer = *outcome.answer;
  settlement_.learn_instance(answer.instance_id, now.mono, false);
  const bool saw_us = std::any_of(answer.flows.begin(), answer.flows.end(),
                                  [](const auto& r) { return r.known && r.received > 0; });
  if (saw_us) settlement_.learn_instance(answer.instance_id, now.mono, true);
  const auto* s = steady();
  // A path without a return is asked slowly: every flow of it tells of the same silence.
  const bool paced = standing_ == Standing::no_return;
  delivery_.begin({.received = now.mono,
                   .asked = outcome.asked,
                   .credible = settlement_.denies_credibly(answer.instance_id),
                   .instance_since = settlement_.instance_since(),
                   .silent_since = s != nullptr ? s->first_loss() : std::nullopt,
                   .newest_answered = newest_answered_,
                   .proven_before = paced && forward(now.mono) == true,
                   .own = outcome.own,
                   .losses_needed = losses_.losses_needed()});
  for (const auto& report : answer.flows) {
    for (auto& flow : flows_) {
      if (flow->flow_id != report.flow_id) continue;
      if (flow->open && report.known && report.endpoint)
        mapping_.seen(flow->handle, report.highest_sequence, *report.endpoint);
      if (flow->loss_run() > 0) delivery_.add(*flow, report, paced || flow->handle == steady_);
      settlement_.apply_report(*flow, report, answer.instance_id, outcome.asked);
    }
  }
}

void PathProber::sweep(const Now& now) {
  next_sweep_ = now.mono + 1s;
  unsettled_ = false;
  const auto timeout = rtt_.loss_timeout();
  for (auto f = flows_.begin(); f != flows_.end();) {
    auto& flow = **f;
    settlement_.sweep(flow, now.mono);
    bool idle = true;
    for (const auto& p : flow.pending) {
      if (p.answered) continue;
      idle = false;
      unsettled_ = unsettled_ || (p.missing && p.sent + Settlement::kGrace <= now.mono);
      if (unsettled_) break;
    }
    if (flow.open && flow.next_send == Instant::max() && standing_ != Standing::no_return &&
        flow.next_expiry(timeout) == Instant::max()) {
      close(flow);  // its schedule is over and every probe has been heard of or given up
    }
    f = !flow.open && idle ? flows_.erase(f) : std::next(f);
  }
  settled_ = settlement_.take(std::move(settled_));
  for (const auto& s : settled_) {
    window_.record(now.mono, s.outcome);
    // Only the first two of a run count here: a long run is an outage, which the other statistics are for.
    if (standing_ != Standing::fine || s.sent < fine_since_ || s.run_position >= 2) continue;
    unattributed_alarm_.record(s.outcome == Outcome::unattributed);
    if (s.outcome == Outcome::unattributed) continue;
    forward_alarm_.record(s.outcome == Outcome::forward_lost);
    if (s.outcome != Outcome::forward_lost) return_alarm_.record(s.outcome == Outcome::return_lost);
  }
}

}  // namespace ue::probe
