#include "sim/virtual_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace ue::sim {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kJudging = 250ms;                             // the agent publishes four times a second
constexpr Nanos kAskTimeout = 4s;                             // as the agent's
constexpr WallTime kEpoch{Nanos(1'790'000'000'000'000'000)};  // September 2026
constexpr int kLivelock = 1000;                               // advances without any progress of time

probe::Identity identity() {
  probe::Identity id{0x0badcafe, 0x1122334455667788, {}};
  for (std::size_t i = 0; i < id.secret.size(); ++i) id.secret[i] = static_cast<std::uint8_t>(i * 7);
  return id;
}

probe::Settings settings(const VirtualPath::Options& options) {
  auto s = options.settings;
  if (options.authenticated) s.identity = identity();
  return s;
}

}  // namespace

VirtualPath::VirtualPath(std::uint64_t seed) : VirtualPath(Options{seed, true, {}, {}}) {}

VirtualPath::VirtualPath(Options options)
    : context(options.context),
      random_(options.seed * 2 + 1),
      prober_random_(options.seed * 2),
      identity_(options.authenticated ? std::optional(identity()) : std::nullopt),
      prober_(settings(options), [this] { return prober_random_(); }),
      size_({1min, identity_}, [this] { return prober_random_(); }),
      begin_(Instant{} + 1h),
      world_(begin_) {
  context.uplink = "mansion";
  context.reflector = "cloud";
  add_reflector(0x5eed);
  schedule(world_, [this] { prober_.start(now()); });
}

std::size_t VirtualPath::add_reflector(std::uint64_t instance_id) {
  reflectors_.emplace_back(identity_, instance_id);
  return reflectors_.size() - 1;
}

Now VirtualPath::now() const {
  const auto elapsed = world_.time_since_epoch();
  return {Instant{elapsed - suspended_}, kEpoch + elapsed + wall_offset_, elapsed};
}

void VirtualPath::at(Nanos time, std::function<void()> action) { schedule(begin_ + time, std::move(action)); }

void VirtualPath::every(Nanos period, std::function<void()> action) {
  schedule(world_ + period, [this, period, action = std::move(action), script = script_] {
    if (script != script_) return;
    action();
    every(period, action);
  });
}

void VirtualPath::run_until(Nanos time) {
  const auto end = begin_ + time;
  int standing_still = 0;
  while (true) {
    auto wake = Instant::max();
    if (!asleep_) {
      wake = std::min(prober_.wake_at(), size_.wake_at());
      if (wake != Instant::max()) wake = std::max(wake + suspended_, world_);
    }
    const auto next = events_.empty() ? Instant::max() : events_.top().at;
    const auto when = std::min(wake, next);
    if (when > end) break;
    standing_still = when == world_ && wake <= next ? standing_still + 1 : 0;
    if (standing_still > kLivelock)
      throw std::logic_error("the prober wants to be woken for ever:\n" + story());
    world_ = when;
    if (next <= wake) {
      const auto run = events_.top().run;
      events_.pop();
      run();
    } else {
      prober_.advance(now());
    }
    if (checks_size) {
      size_.advance(now(), {prober_.rtt().loss_timeout(), observe().losses_needed, prober_.instance_id()});
    }
    carry_out();
    judge();
  }
  world_ = end;
}

void VirtualPath::carry_out() {
  for (auto actions = prober_.take_actions(); !actions.empty(); actions = prober_.take_actions())
    run(actions);
  run(size_.take_actions());
}

void VirtualPath::run(const std::vector<probe::Action>& actions) {
  for (const auto& action : actions) {
    if (const auto* o = std::get_if<probe::OpenFlow>(&action)) flows_[o->flow] = {};
    if (const auto* c = std::get_if<probe::CloseFlow>(&action)) flows_.erase(c->flow);
    if (const auto* s = std::get_if<probe::SendProbe>(&action)) send(*s);
    if (const auto* a = std::get_if<probe::AskReflector>(&action)) ask(*a);
  }
}

void VirtualPath::judge() {
  if (asleep_ || world_ < next_judgement_) return;
  next_judgement_ = world_ + kJudging;
  check_counters();
  const auto at = now();
  const auto observation = prober_.observe(at.mono);
  if (checks_size) judge_size(at, observation);
  const bool changed =
      judge_.update(at.mono, agent::make_evidence(observation, context), observation.recovered);
  if (changed) changes_.push_back({elapsed(), verdict(), conclusion().why});
  prober_.set_standing(at, agent::standing_for(verdict()));
  carry_out();
}

/// As the agent does.
void VirtualPath::judge_size(const Now& at, const probe::Observation& o) {
  context.size = size_.passes();
  context.tunnel_size = size_.size();
  context.passing_payload = size_.passing_payload();
  size_.set_allowed(at, agent::standing_for(verdict()) == probe::Standing::fine && o.steady == true);
}

Packet VirtualPath::packet(probe::FlowHandle handle, bool outward) {
  Packet p{handle, outward, world_, {}, {}};
  const auto f = flows_.find(handle);
  if (f == flows_.end()) return p;
  auto& flow = f->second;
  if (!flow.first) flow.first = flow.last_outward = world_;
  p.since_first = world_ - *flow.first;
  p.since_outward = world_ - flow.last_outward;
  if (outward) flow.last_outward = world_;
  return p;
}

bool VirtualPath::crosses(Link& link, const Packet& packet) {
  link.in_burst = link.in_burst ? chance() >= link.burst_ends : chance() < link.burst_begins;
  const bool lucky = !link.in_burst && chance() >= link.loss;
  return (!link.passes || link.passes(packet)) && lucky && !cut_;
}

Nanos VirtualPath::travel(const Link& link) {
  auto time = link.delay;
  if (link.jitter > Nanos::zero()) time += from_seconds(to_seconds(link.jitter) * chance());
  if (link.straggler > 0 && chance() < link.straggler) time += 900ms;
  return time;
}

void VirtualPath::send_size(const probe::SendProbe& probe) {
  const auto size = probe.packet.size();
  if (size > out.largest) {
    if (!out.tells_largest) return;
    schedule(world_ + out.delay, [this, flow = probe.flow] {
      size_.on_too_big(now(), flow, static_cast<std::uint32_t>(out.largest + 28));
    });
    return;
  }
  if (!crosses(out, packet(probe.flow, true))) return;
  const auto reply =
      reflectors_[0].receive(kEpoch + world_.time_since_epoch(), probe.packet, {IpAddress::v4(1), 1});
  if (!reply || size > back.largest || !crosses(back, packet(probe.flow, false))) return;
  schedule(world_ + travel(out) + travel(back), [this, flow = probe.flow, r = *reply] {
    if (!asleep_) size_.on_datagram(now(), flow, r, true);
  });
}

void VirtualPath::send(const probe::SendProbe& probe) {
  if (probe::SizeCheck::owns(probe.flow)) return send_size(probe);
  if (!flows_.contains(probe.flow)) throw std::logic_error("a probe on a flow that is not open");
  ++truth_.sent;
  sent_.push_back({elapsed(), probe.flow, probe.sequence});
  first_sent_.try_emplace(probe.flow, elapsed());
  prober_.on_transmitted(probe.flow, probe.sequence, now().wall);
  if (!crosses(out, packet(probe.flow, true))) {
    ++truth_.lost_outward;
    return;
  }
  const int copies = out.duplicate > 0 && chance() < out.duplicate ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    schedule(world_ + travel(out),
             [this, flow = probe.flow, bytes = probe.packet, sent = world_] { arrive(flow, bytes, sent); });
  }
}

void VirtualPath::arrive(probe::FlowHandle flow, const Bytes& bytes, Instant sent) {
  const Endpoint source{IpAddress::v4(0xc6336401),
                        static_cast<std::uint16_t>(1024 + (flow * 7 + binding_ * 101) % 60000)};
  const auto seen = Packet{flow, true, world_, {}, {}};
  auto& there = reflectors_[balance ? balance(seen) : 0];
  auto reply = there.receive(kEpoch + world_.time_since_epoch(), bytes, source);
  if (!reply) return;
  schedule(world_ + travel(back), [this, flow, binding = binding_, sent, r = std::move(*reply)] {
    come_back(flow, r, sent, binding);
  });
}

void VirtualPath::come_back(probe::FlowHandle flow, const Bytes& reply, Instant sent, std::uint64_t binding) {
  const bool crossed = crosses(back, packet(flow, false)) && binding == binding_;
  if (!crossed || asleep_ || !flows_.contains(flow)) {
    ++truth_.lost_inward;
    if (!first_lost_reply_) first_lost_reply_ = sent - begin_;
    return;
  }
  const auto age = sent - begin_ - first_sent_.at(flow);
  if (verdict() != verdict::Verdict::healthy && age > 20s) answered_.push_back({elapsed(), flow, age});
  prober_.on_datagram(now(), flow, reply, true, now().wall);
}

void VirtualPath::ask(const probe::AskReflector& ask) {
  ++questions_;
  try_question({now().mono, ask.flow_ids, world_ + kAskTimeout, true}, 1s);
}

/// A SYN that is lost is sent again after 1, 2 and 4 s, until the attempt is given up.
void VirtualPath::try_question(Question question, Nanos retry) {
  const bool works = question.own ? tcp.own && !cut_ : tcp.other;
  if (works) {
    schedule(world_ + tcp.round_trip / 2, [this, q = std::move(question)] {
      const auto answer = stamp::encode(reflectors_[asked_instance].answer(q.flows));
      schedule(world_ + tcp.round_trip / 2, [this, q, answer] {
        const auto parsed = stamp::parse_answer(answer);
        if (!parsed) throw std::logic_error("an answer that cannot be read: " + parsed.error());
        answered({q.asked, q.own, *parsed});
      });
    });
  } else if (world_ + retry < question.give_up) {
    schedule(world_ + retry, [this, q = std::move(question), retry] { try_question(q, retry * 2); });
  } else {
    schedule(question.give_up, [this, q = std::move(question)]() mutable {
      if (!q.own || !tcp.other) return answered({q.asked, false, {}});
      q.own = false;
      q.give_up = world_ + kAskTimeout;
      try_question(std::move(q), 1s);
    });
  }
}

void VirtualPath::answered(const probe::AskOutcome& outcome) {
  if (asleep_) {
    awake_.push_back([this, asked = outcome.asked] { prober_.on_asked(now(), {asked, false, {}}); });
  } else {
    prober_.on_asked(now(), outcome);
  }
}

void VirtualPath::suspend(Nanos time) {
  if (asleep_) return;
  asleep_ = true;
  schedule(world_ + time, [this, time] {
    asleep_ = false;
    suspended_ += time;
    prober_.restart(now());
    for (const auto& f : std::exchange(awake_, {})) f();
  });
}

void VirtualPath::check_counters() {
  for (const auto kind : {probe::FlowKind::steady, probe::FlowKind::fresh}) {
    const auto& c = prober_.counters(kind);
    auto& l = last_[static_cast<std::size_t>(kind)];
    monotone_ = monotone_ && c.sent >= l.sent && c.delivered >= l.delivered && c.replies >= l.replies &&
                c.forward_lost >= l.forward_lost && c.return_lost >= l.return_lost &&
                c.unattributed_lost >= l.unattributed_lost;
    l = c;
  }
}

probe::FlowCounters VirtualPath::counters() const {
  auto sum = prober_.counters(probe::FlowKind::steady);
  const auto& c = prober_.counters(probe::FlowKind::fresh);
  sum.sent += c.sent;
  sum.delivered += c.delivered;
  sum.replies += c.replies;
  sum.forward_lost += c.forward_lost;
  sum.return_lost += c.return_lost;
  sum.unattributed_lost += c.unattributed_lost;
  return sum;
}

std::map<probe::FlowHandle, Nanos> VirtualPath::answered_ages(Nanos time) const {
  std::map<probe::FlowHandle, Nanos> ages;
  for (const auto& a : answered_) {
    if (a.at <= time) ages[a.flow] = std::max(ages[a.flow], a.age);
  }
  return ages;
}

std::optional<Nanos> VirtualPath::first(verdict::Verdict v, Nanos from) const {
  for (const auto& c : changes_) {
    if (c.verdict == v && c.at >= from) return c.at;
  }
  return std::nullopt;
}

std::string VirtualPath::story() const {
  std::string text;
  for (const auto& c : changes_) {
    text += fmt::format("{:10.2f} s  {:<18} {}\n", to_seconds(c.at), verdict::name(c.verdict), c.why);
  }
  return text;
}

}  // namespace ue::sim
