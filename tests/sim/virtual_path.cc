#include "sim/virtual_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace ue::sim {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kJudging = 250ms;  // the agent publishes four times a second
constexpr int kLivelock = 1000;    // advances without any progress of time

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

VirtualPath::VirtualPath(std::uint64_t seed) : VirtualPath(Options{seed}) {}

VirtualPath::VirtualPath(Options options)
    : context(options.context),
      random_(std::mt19937_64(options.seed * 2 + 1)()),
      prober_random_(options.seed * 2),
      identity_(options.authenticated ? std::optional(identity()) : std::nullopt),
      prober_(settings(options), [this] { return prober_random_(); }),
      size_({std::max<Nanos>(1min, 60 * options.settings.interval), identity_},
            [this] { return prober_random_(); }),
      holding_(identity(), 0x5eed),
      begin_(Instant{} + 1h),
      world_(begin_) {
  if (!options.holds.empty()) {
    ladder_.emplace(probe::HoldLadder::Settings{options.holds, options.ladder_interval, identity()},
                    [this] { return prober_random_(); });
  }
  holding_.trusting = options.trusting;
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
  schedule(world_ + period, [this, period, action = std::move(action), begun = repeating_] {
    if (begun != repeating_) return;
    action();
    every(period, action);
  });
}

void VirtualPath::run_until(Nanos time) {
  const auto end = begin_ + time;
  int standing_still = 0;
  touch(kEverything);  // the caller may have called anything
  carry_out();
  while (true) {
    const auto wake_at = asleep_ ? Instant::max() : std::max(wakes().first(), world_);
    const auto next = std::min(script_.next(), packets_.next());
    const auto when = std::min(wake_at, next);
    if (when > end) break;
    standing_still = when == world_ && wake_at <= next ? standing_still + 1 : 0;
    if (standing_still > kLivelock)
      throw std::logic_error("the prober wants to be woken for ever:\n" + story());
    world_ = when;
    if (next > wake_at) {
      wake();
    } else if (script_.next() <= packets_.next()) {
      script_.take()();
      touch(kEverything);
    } else if (!happen(packets_.take())) {
      continue;  // far from the gateway, which sees nothing of it
    }
    judge();
    carry_out();
  }
  world_ = end;
}

/// Who was not called since has not changed his mind.
const VirtualPath::Wakes& VirtualPath::wakes() {
  ask(touched_, wakes_);
  touched_ = 0;
  return wakes_;
}

void VirtualPath::ask(unsigned parts, Wakes& wakes) const {
  const auto in_world = [this](Instant at) { return at == Instant::max() ? at : at + suspended_; };
  if ((parts & kProber) != 0) wakes.prober = in_world(prober_.wake_at());
  if ((parts & kSize) != 0 && checks_size) wakes.size = in_world(size_.wake_at());
  if ((parts & kLadder) != 0 && ladder_) wakes.ladder = in_world(ladder_->wake_at());
}

bool VirtualPath::remembers_truly() const {
  auto wakes = wakes_;
  ask(kEverything & ~touched_, wakes);
  return wakes == wakes_ && ((changed_ & kSize) != 0 || !checks_size || context.size == size_.passes());
}

void VirtualPath::schedule(Instant when, std::function<void()> action) {
  script_.add(when, std::move(action));
}

/// False where it happened far from the gateway.
bool VirtualPath::happen(OnTheWay packet) {
  if (packet.outward)
    arrive(packet);
  else
    come_back(packet);
  return !packet.outward;
}

/// Each part by itself. The agent has one timer for all of a path: there they are advanced more often.
void VirtualPath::wake() {
  const auto at = now();
  const bool size = wakes_.size <= world_;
  const bool ladder = wakes_.ladder <= world_;
  if (wakes_.prober <= world_) {
    prober_.advance(at);
    touch(kProber);
  }
  if (size || ladder) advance_others(at, size, ladder);
}

void VirtualPath::advance_others(const Now& at, bool size, bool ladder) {
  const probe::PathState state{prober_.rtt().loss_timeout(), prober_.losses_needed(), prober_.instance_id(),
                               prober_.open_flows(), context.keepalive.value_or(30s)};
  if (size) size_.advance(at, state);
  if (ladder) ladder_->advance(at, state);
  touch((size ? kSize : 0) | (ladder ? kLadder : 0));
}

/// Who was not called asks for nothing.
void VirtualPath::carry_out() {
  const auto carry_out_all_of = [this](auto& part) {
    while (part.has_actions()) {
      actions_ = part.take_actions(std::move(actions_));
      run(actions_);
    }
  };
  if ((touched_ & kProber) != 0) carry_out_all_of(prober_);
  if ((touched_ & kSize) != 0 && checks_size) carry_out_all_of(size_);
  if ((touched_ & kLadder) != 0 && ladder_) carry_out_all_of(*ladder_);
}

void VirtualPath::run(std::vector<probe::Action>& actions) {
  for (auto& action : actions) {
    if (auto* s = std::get_if<probe::SendProbe>(&action)) {
      send(*s);
    } else if (const auto* o = std::get_if<probe::OpenFlow>(&action)) {
      open(o->flow);
    } else if (const auto* c = std::get_if<probe::CloseFlow>(&action)) {
      if (!std::exchange(flows_[c->flow].open, false))
        throw std::logic_error("a flow is closed that is not open");
      --open_flows_;
    } else {
      ask(std::get<probe::AskReflector>(action));
    }
  }
}

void VirtualPath::open(probe::FlowHandle flow) {
  flows_[flow] = {true, {}, {}, {}};
  ports_.push_back(elapsed());
  most_open_ = std::max(most_open_, ++open_flows_);
}

void VirtualPath::judge() {
  if (asleep_ || world_ < next_judgement_) return;
  next_judgement_ = world_ + kJudging;
  const auto at = now();
  // Made in its place: to copy one costs as much as to make it.
  const auto& observation = *new (&observed_[1 - supporting_]) probe::Observation(prober_.observe(at.mono));
  check_counters();
  const auto heard = judge_.update(at.mono, agent::make_facts(observation, context), observation.recovered);
  if (heard != verdict::Heard::stands) supporting_ = 1 - supporting_;
  if (heard == verdict::Heard::changed) {
    changes_.push_back({elapsed(), verdict(), conclusion().why});
    prober_.set_standing(at, agent::standing_for(verdict()));
    touch(kProber);
  }
  allow_others(at, observation);
}

verdict::Conclusion VirtualPath::conclusion() const {
  return verdict::conclude(verdict(), agent::make_evidence(observed_[supporting_], context));
}

/// As the agent does it: their word is heard at the next judgement.
void VirtualPath::allow_others(const Now& at, const probe::Observation& o) {
  const auto steady = o.steady ? verdict::tri(*o.steady) : verdict::Tri::unknown;
  if (checks_size && (changed_ & kSize) != 0) {
    context.size = size_.passes();
    context.tunnel_size = size_.size();
    context.passing_payload = size_.passing_payload();
  }
  if (ladder_ && (changed_ & kLadder) != 0)
    context.stream = std::as_const(*ladder_).lifetime(probe::Pattern::stream).believed();
  changed_ = 0;  // since their word was heard
  const bool works = agent::silence_tells(working_, agent::standing_for(verdict()), steady);
  if (std::exchange(working_, works) == works) return;
  if (checks_size) size_.set_allowed(at, working_);
  if (ladder_) ladder_->set_allowed(at, working_);
  touch(kSize | kLadder);
}

void VirtualPath::suspend(Nanos time) {
  if (asleep_) return;
  asleep_ = true;
  schedule(world_ + time, [this, time] {
    asleep_ = false;
    suspended_ += time;
    restart();
    for (const auto& f : std::exchange(awake_, {})) f();
  });
}

void VirtualPath::restart() {
  prober_.restart(now());
  working_ = false;
  size_.set_allowed(now(), false);
  if (ladder_) ladder_->set_allowed(now(), false);
  if (checks_size) size_.restart(now(), Family::ipv4);
  if (ladder_) ladder_->restart(now());
  touch(kEverything);
  carry_out();
}

void VirtualPath::check_counters() {
  for (const auto kind : {probe::FlowKind::steady, probe::FlowKind::fresh}) {
    const auto& c = prober_.counters(kind);
    auto& l = last_[static_cast<std::size_t>(kind)];
    // Not one after the other: they hardly ever differ, and this is asked for all the time.
    monotone_ &= (c.sent >= l.sent) & (c.delivered >= l.delivered) & (c.replies >= l.replies) &
                 (c.forward_lost >= l.forward_lost) & (c.return_lost >= l.return_lost) &
                 (c.unattributed_lost >= l.unattributed_lost);
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
