#include "probe/localiser.h"

#include <algorithm>

#include "probe/stun_packets.h"

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kPace = 1s;  // routers send about one ICMP error a second
constexpr Nanos kUsualEvery = 6h;
constexpr Nanos kSettled = 2s;  // the path has just begun to work, or to be in trouble
constexpr Nanos kRetry = 30s;
constexpr unsigned kBlindHops = 12;  // of a way that is not known
constexpr unsigned kMostAttempts = 3;
constexpr std::size_t kRemembered = 24;  // octets of a packet: a STUN header, or more than STAMP's numbers
constexpr Nanos kLongestHold = 300s;

/// Routers between the sender of a packet and us, by the TTL that is left of it.
unsigned routers_passed(unsigned ttl) { return (ttl <= 64 ? 64U : ttl <= 128 ? 128U : 255U) - ttl; }

}  // namespace

Localiser::Localiser(Settings settings, RandomSource random)
    : settings_(std::move(settings)), random_(std::move(random)) {}

FlowHandle Localiser::new_handles(std::size_t count) {
  // A run of handles never wraps within one task; what has been closed long ago may come again.
  if (next_handle_ + count >= kFirstHandle + ~kHandleBits) next_handle_ = kFirstHandle;
  const auto first = next_handle_;
  next_handle_ += static_cast<FlowHandle>(count);
  return first;
}

void Localiser::set_task(const Now& now, const Task& task) {
  const auto before = task_;
  task_ = task;
  if (task.kind == before.kind && task.flow == before.flow) return;
  const bool same_trouble = trouble(task.kind) && trouble(before.kind) &&
                            (task.kind == Task::Kind::large) == (before.kind == Task::Kind::large);
  if (!same_trouble && task.kind != Task::Kind::none) {
    findings_.now.reset();
    findings_.probe_refused.reset();
    findings_.reply_refused.reset();
  }
  const bool works = task.kind == Task::Kind::usual || task.kind == Task::Kind::lifetime;
  const bool worked = before.kind == Task::Kind::usual || before.kind == Task::Kind::lifetime;
  if (!works || !worked) {
    drop_trace();
    if (trouble(task.kind)) {
      next_trace_ = now.mono;
    } else {
      next_trace_ = std::max(next_trace_, now.mono + kSettled);
    }
  }
  if (works && !findings_.usual) next_trace_ = std::min(next_trace_, now.mono + kSettled);
  if (task.kind == Task::Kind::lifetime) return;
  drop_keepalives();
  findings_.forgetful.reset();
  keepalives_done_ = false;
  attempts_ = 0;
  longer_ = {};
  next_keepalives_ = {};
}

void Localiser::restart(const Now& now) {
  drop_trace();
  drop_keepalives();
  findings_ = {};
  task_ = {};
  keepalives_done_ = false;
  attempts_ = 0;
  longer_ = {};
  next_trace_ = now.mono + kSettled;
  next_keepalives_ = {};
}

bool Localiser::trace_due(Instant now) const {
  return !trace_ && task_.kind != Task::Kind::none && now >= next_trace_ &&
         (task_.kind == Task::Kind::silent || task_.room > 0);
}

bool Localiser::learns(Instant now) const {
  if (keepalives_ || task_.kind == Task::Kind::none) return keepalives_.has_value();
  if (!trouble(task_.kind)) return trace_ || (!findings_.usual && now + kRetry > next_trace_);
  // Where silence begins says something where it is known how far the far end is; a STUN server does not
  // tell.
  if (settings_.stun && !findings_.usual && !findings_.probe_refused) return false;
  return trace_ || !findings_.now;
}

bool Localiser::keepalives_wanted() const {
  return task_.kind == Task::Kind::lifetime && !keepalives_ && !trace_ && settings_.identity &&
         task_.stream.upper && findings_.usual && findings_.usual->length && !keepalives_done_;
}

/// The last router before the far end is taken to be no NAT of ours, or its reply would find no way at all.
unsigned Localiser::keepalive_hops() const {
  const auto length = std::max(3U, *findings_.usual->length);
  return std::min(length - 2, HopKeepalives::kMostHops);
}

void Localiser::advance(const Now& now, const PathState& path) {
  path_ = path;
  if (trace_due(now.mono)) begin_trace(now);
  if (trace_ && !task_.paced && now.mono >= run_.next) send_next(now);
  if (keepalives_wanted() && !wants_room() && now.mono >= next_keepalives_) begin_keepalives(now);
  if (!keepalives_) return;
  keepalives_->advance(now, path.loss_timeout, actions_);
  if (keepalives_->outcome() != HopKeepalives::Outcome::running) end_keepalives(now);
}

void Localiser::slot(const Now& now) {
  if (trace_ && task_.paced) send_next(now);
}

Instant Localiser::wake_at() const {
  Instant at = Instant::max();
  if (trace_) {
    if (!task_.paced) at = run_.next;
  } else if (task_.kind == Task::Kind::silent || (task_.kind != Task::Kind::none && task_.room > 0)) {
    at = next_trace_;
  }
  if (keepalives_wanted() && !wants_room()) at = std::min(at, next_keepalives_);
  return keepalives_ ? std::min(at, keepalives_->wake_at()) : at;
}

/// The highest TTL that a trace in trouble may use: it must not reach the far end, whose replies are lost.
std::optional<unsigned> Localiser::trace_limit() const {
  if (findings_.usual && findings_.usual->length) return *findings_.usual->length - 1;
  if (findings_.length) return *findings_.length - 1;
  return std::nullopt;
}

void Localiser::begin_trace(const Now& now) {
  const bool silent = task_.kind == Task::Kind::silent;
  run_ = {};
  run_.own = !silent;
  run_.flow = silent ? task_.flow : new_handles(1);
  run_.flow_id = random_();
  run_.ssid = static_cast<std::uint16_t>(random_() | 1);
  run_.next = now.mono;
  if (run_.own) actions_.push_back(OpenFlow{run_.flow, task_.kind == Task::Kind::large});
  if (trouble(task_.kind)) {
    trace_.emplace(trace_limit().value_or(kBlindHops), findings_.usual);
  } else {
    trace_.emplace(Trace::kMostHops, std::nullopt);
  }
}

void Localiser::send_next(const Now& now) {
  const bool opening = run_.own && run_.sequence == 0;  // makes the mapping that the answers come back by
  std::optional<unsigned> ttl;
  if (!opening) {
    ttl = trace_->next();
    if (!ttl) return end_trace(now);
  }
  Extras extras;
  extras.naming = true;
  extras.instance_id = path_.instance_id;
  if (task_.kind == Task::Kind::large && ttl) extras.fill_up_to = task_.payload;
  const auto sequence = run_.sequence++;
  SendProbe probe{run_.flow, sequence, {}, std::nullopt};
  if (ttl) probe.ttl = static_cast<std::uint8_t>(*ttl);
  probe.packet = settings_.stun
                     ? build_stun_probe(run_.flow_id, sequence)
                     : build_probe(settings_.identity, run_.flow_id, run_.ssid, sequence, now.wall, extras);
  const auto kept = std::min(probe.packet.size(), kRemembered);
  run_.sent.emplace_back(
      Bytes(probe.packet.begin(), probe.packet.begin() + static_cast<std::ptrdiff_t>(kept)), ttl.value_or(0));
  actions_.push_back(std::move(probe));
  run_.next = now.mono + std::max(kPace, path_.loss_timeout);
}

void Localiser::end_trace(const Now& now) {
  const auto& hops = trace_->hops();
  if (trouble(task_.kind)) {
    findings_.now = hops;
    next_trace_ = now.mono + settings_.repeat;
  } else if (hops.length) {
    findings_.usual = hops;
    next_trace_ = now.mono + kUsualEvery;
  } else {
    next_trace_ = now.mono + settings_.repeat;
  }
  drop_trace();
}

void Localiser::drop_trace() {
  if (trace_ && run_.own) actions_.push_back(CloseFlow{run_.flow});
  trace_.reset();
}

void Localiser::begin_keepalives(const Now& now) {
  const auto& stream = task_.stream;
  HopKeepalives::Plan plan;
  plan.hops = keepalive_hops();
  plan.hold = std::min<Nanos>(*stream.upper + std::max<Nanos>(2s, *stream.upper / 4) + longer_, kLongestHold);
  plan.every = std::clamp<Nanos>(stream.lower / 2, 500ms, 10s);
  keepalives_.emplace(plan, new_handles(HopKeepalives::flows(plan.hops)), *settings_.identity, path_, random_,
                      now.mono);
  ++attempts_;
}

void Localiser::end_keepalives(const Now& now) {
  const auto outcome = keepalives_->outcome();
  if (outcome == HopKeepalives::Outcome::found) {
    findings_.forgetful = keepalives_->forgetful_hop();
    findings_.forgets_within = keepalives_->hold();
  }
  longer_ = outcome == HopKeepalives::Outcome::outlived ? longer_ + keepalives_->hold() / 2 : Nanos::zero();
  const bool again = outcome != HopKeepalives::Outcome::found && outcome != HopKeepalives::Outcome::refused &&
                     attempts_ < kMostAttempts;
  next_keepalives_ = now.mono + kRetry;
  keepalives_done_ = !again;
  asked_ = keepalives_->lost_flows();
  if (asked_.size() > stamp::kMaxQueryFlows) asked_.resize(stamp::kMaxQueryFlows);
  if (!asked_.empty()) actions_.push_back(AskReflector{asked_});
  drop_keepalives();
}

void Localiser::drop_keepalives() {
  if (keepalives_) keepalives_->abandon(actions_);
  keepalives_.reset();
}

void Localiser::on_datagram(const Now& now, FlowHandle flow, ByteView datagram, bool from_reflector) {
  if (!from_reflector) return;
  if (keepalives_) keepalives_->on_datagram(flow, datagram);
  if (!trace_ || !run_.own || flow != run_.flow) return;
  const auto parsed = settings_.stun ? parse_stun_reply(datagram, run_.flow_id)
                                     : parse_reply(datagram, settings_.identity, run_.ssid, run_.flow_id);
  const auto* reply = std::get_if<Reply>(&parsed);
  if (reply == nullptr || reply->base.sender_sequence >= run_.sent.size()) return;
  trace_->reached(run_.sent[reply->base.sender_sequence].second);
  run_.next = std::min(run_.next, now.mono + kPace);
}

bool Localiser::on_time_exceeded(FlowHandle flow, const IpAddress& router, ByteView quoted) {
  if (owns(flow) && (!trace_ || flow != run_.flow)) return true;  // of keepalives, or too late
  if (!trace_ || flow != run_.flow || run_.sent.empty()) return false;
  // What is quoted tells the packet; a router that quotes nothing is taken to mean the newest.
  auto match = run_.sent.rbegin();
  if (!quoted.empty()) {
    match = std::find_if(run_.sent.rbegin(), run_.sent.rend(), [&](const auto& sent) {
      const auto common = std::min(sent.first.size(), quoted.size());
      return std::equal(quoted.begin(), quoted.begin() + static_cast<std::ptrdiff_t>(common),
                        sent.first.begin());
    });
    if (match == run_.sent.rend()) return owns(flow);
  }
  trace_->answered(match->second, router);
  return true;
}

void Localiser::on_refused(const Refused& refused) {
  if (trouble(task_.kind)) findings_.probe_refused = refused;
}

bool Localiser::on_answer(const Now& now, const stamp::QueryAnswer& answer) {
  bool ours = !answer.flows.empty();
  for (const auto& flow : answer.flows) {
    const bool own = std::find(asked_.begin(), asked_.end(), flow.flow_id) != asked_.end();
    ours = ours && own;
    if (!own && flow.known && flow.ttl > 0) findings_.length = routers_passed(flow.ttl) + 1;
    // A young error is about the fault that is being looked into.
    if (flow.icmp && flow.icmp->ms_ago < 120'000 && (own || trouble(task_.kind)))
      findings_.reply_refused =
          Refused{flow.icmp->type, flow.icmp->code, flow.icmp->offender, flow.icmp->ttl, now.mono};
  }
  return ours;
}

}  // namespace ue::probe
