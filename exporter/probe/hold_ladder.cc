#include "probe/hold_ladder.h"

#include <algorithm>

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kStagger = 250ms;  ///< between two openings, so that a rate limit is not what is measured
constexpr Nanos kAfterVoid = 60s;
constexpr Nanos kFullSetEvery = 6h;
constexpr Nanos kDoubt = 30s;  ///< what is shorter was a suspicion
constexpr Nanos kLeastGrace = 2s;
constexpr int kMostVoids = 4;
constexpr std::size_t kMostOnUplink = 20;

}  // namespace

HoldLadder::HoldLadder(Settings settings, RandomSource random)
    : settings_(std::move(settings)), random_(std::move(random)) {
  for (auto& l : lifetimes_)
    l.set_batches_needed(settings_.hasty ? 2 : MappingLifetime::Bracket::kBatchesNeeded);
}

void HoldLadder::set_allowed(const Now& now, bool allowed) {
  if (allowed == allowed_) return;
  allowed_ = allowed;
  if (!allowed) {
    forbidden_since_ = now.mono;
    abandon();
    return;
  }
  next_batch_ = std::max(next_batch_, now.mono + after_voids());
  if (now.mono - forbidden_since_ < kDoubt) return;
  planned_.clear();
  next_full_ = now.mono;  // whatever was wrong may have changed the NAT
}

void HoldLadder::restart(const Now& now) {
  abandon();
  planned_.clear();
  for (auto& l : lifetimes_) l.clear();
  known_.fill({});
  refused_ = false;
  next_full_ = now.mono;
}

Nanos HoldLadder::random_up_to(Nanos longest) {
  return Nanos(static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(longest.count())));
}

void HoldLadder::begin(const Now& now) {
  if (planned_.empty()) {
    confirmations_ = 0;
    if (now.mono >= next_full_ || !plan_check()) {
      plan_full_set();
      next_full_ = now.mono + std::max<Nanos>(kFullSetEvery, 24 * settings_.interval);
    }
    if (planned_.empty()) return;
  }
  running_ = true;
  closing_ = false;
  ++batch_number_;
  batch_ = std::move(planned_.front());
  planned_.pop_front();
  // The longest first: the short ones fit in beside them as flows come free.
  std::stable_sort(batch_.begin(), batch_.end(),
                   [](const auto& a, const auto& b) { return a.hold > b.hold; });
  contradicted_.clear();
  if (settings_.stun) asker_.open(now.mono, next_handle_++, random_(), actions_);
  unopened_.assign(batch_.begin(), batch_.end());
  unopened_.push_front({Pattern::solitary, Nanos::zero()});
  next_open_ = now.mono;
  next_batch_ = now.mono + settings_.per_port * (batch_.size() + 2);
}

std::size_t HoldLadder::open_rungs() const {
  return static_cast<std::size_t>(std::count_if(
      rungs_.begin(), rungs_.end(), [](const auto& r) { return r.outcome() == HoldRung::Outcome::running; }));
}

void HoldLadder::open_due(const Now& now) {
  while (!unopened_.empty() && now.mono >= next_open_ && open_rungs() < settings_.most_flows &&
         open_rungs() + path_.open_flows < kMostOnUplink) {
    open(now, unopened_.front());
    unopened_.pop_front();
    next_open_ = now.mono + kStagger;
  }
}

void HoldLadder::open(const Now& now, const Plan& plan) {
  // Handles stay in the upper half for longer than any machine runs.
  rungs_.emplace_back(plan.pattern, plan.hold, next_handle_++, random_(),
                      static_cast<std::uint16_t>(random_() | 1), now.mono);
  actions_.push_back(OpenFlow{rungs_.back().flow()});
}

void HoldLadder::send(const Now& now, HoldRung& rung) {
  while (const auto p = rung.next_due(now.mono)) {
    if (settings_.stun) {
      asker_.send(now.mono, rung.flow(), rung.flow_id(), p->sequence, p->hold, actions_);
      continue;
    }
    Extras extras;
    extras.naming = p->naming;
    extras.instance_id = path_.instance_id;
    extras.hold = p->hold;
    extras.suppress = p->suppress;
    actions_.push_back(SendProbe{
        rung.flow(), p->sequence,
        build_probe(settings_.identity, rung.flow_id(), rung.ssid(), p->sequence, now.wall, extras)});
  }
}

void HoldLadder::close(HoldRung& rung) { actions_.push_back(CloseFlow{rung.flow()}); }

/// What is not known does not change by being asked again at once: a line that often ends it is asked less
/// often.
void HoldLadder::abandon() {
  if (running_) {
    if (voids_ < kMostVoids) ++voids_;
    planned_.push_front(batch_);
  }
  for (auto& r : rungs_) {
    if (r.outcome() == HoldRung::Outcome::running) close(r);
  }
  asker_.close(actions_);
  rungs_.clear();
  unopened_.clear();
  running_ = false;
}

Nanos HoldLadder::grace() const { return std::max(path_.loss_timeout, kLeastGrace); }

void HoldLadder::advance(const Now& now, const PathState& path) {
  path_ = path;
  if (allowed_) step(now);
}

void HoldLadder::step(const Now& now) {
  if (!running_ && !held_off_ && !paused_ && now.mono >= next_batch_) begin(now);
  if (!running_) return;
  open_due(now);
  if (std::exchange(fell_silent_, false)) drop_hopeless();
  for (const auto flow : asker_.advance(now.mono, actions_)) {
    auto* rung = running_rung(flow);
    if (rung == nullptr) continue;
    rung->give_up();
    close(*rung);
  }
  bool over = unopened_.empty();
  for (auto& r : rungs_) {
    if (r.outcome() != HoldRung::Outcome::running) continue;
    send(now, r);
    r.expire(now.mono, grace());
    if (r.outcome() != HoldRung::Outcome::running) {
      close(r);
      fell_silent_ = true;
    } else {
      over = false;
    }
  }
  if (!over) return;
  if (closing_) {
    finish(now);
  } else {  // the second control
    closing_ = true;
    unopened_.push_back({Pattern::solitary, Nanos::zero()});
    next_open_ = now.mono;
  }
}

/// Whether there was any.
bool HoldLadder::record_outcomes() {
  bool said = false;
  for (const auto& [p, hold] : contradicted_) {
    const auto& known = known_[static_cast<std::size_t>(p)];
    const auto bound = known ? known->upper : std::nullopt;
    if (matters(p))
      lifetime(p).doubt(hold, bound);
    else
      lifetime(p).contradict(hold, bound);
  }
  for (const auto& r : rungs_) {
    if (r.control() || r.outcome() == HoldRung::Outcome::no_say) continue;
    said = true;
    const bool back = r.outcome() == HoldRung::Outcome::came_back;
    lifetime(r.pattern()).record(r.hold(), back, batch_number_);
    if (!std::binary_search(settings_.holds.begin(), settings_.holds.end(), r.hold())) continue;
    auto& count = counts_[{r.pattern(), r.hold()}];
    ++count.probes;
    count.replies += back ? 1 : 0;
  }
  for (auto& l : lifetimes_) l.conclude(path_.losses_needed);
  return said;
}

/// One may be chance.
Nanos HoldLadder::after_voids() const { return voids_ > 1 ? kAfterVoid * (1 << voids_) : Nanos::zero(); }

/// The path loses too much: later, and ever later.
void HoldLadder::pause_after_void(const Now& now) {
  ++void_batches_;
  if (voids_ < kMostVoids) ++voids_;
  planned_.push_front(std::move(batch_));
  next_batch_ = std::max(next_batch_, now.mono + after_voids());
}

void HoldLadder::finish(const Now& now) {
  const auto controls = std::count_if(rungs_.begin(), rungs_.end(), [](const auto& r) {
    return r.control() && r.outcome() == HoldRung::Outcome::came_back;
  });
  drop_hopeless();  // what fell silent last contradicts as well
  const bool said = controls == 2 && record_outcomes();
  refused_ = controls == 2 && !said;
  asker_.close(actions_);
  rungs_.clear();
  running_ = false;
  if (controls < 2) return pause_after_void(now);
  voids_ = 0;
  if (said) {
    for (const auto p : kPlanned) {
      if (std::any_of(batch_.begin(), batch_.end(), [p](const auto& plan) { return plan.pattern == p; }))
        follow_up(now, p);
    }
  }
  if (refused_) {
    planned_.clear();
    next_batch_ = next_full_;  // it may be allowed by then
    return;
  }
  if (planned_.empty()) next_batch_ = now.mono + settings_.interval + random_up_to(settings_.interval / 10);
}

Instant HoldLadder::wake_at() const {
  if (!allowed_) return Instant::max();
  if (!running_) return held_off_ || paused_ ? Instant::max() : next_batch_;
  const bool room = open_rungs() < settings_.most_flows && open_rungs() + path_.open_flows < kMostOnUplink;
  Instant at = !unopened_.empty() && room ? next_open_ : Instant::max();
  for (const auto& r : rungs_) at = std::min(at, r.wake_at(grace()));
  return std::min(at, asker_.wake_at());
}

HoldRung* HoldLadder::running_rung(FlowHandle flow) {
  const auto rung =
      std::find_if(rungs_.begin(), rungs_.end(), [&](const auto& r) { return r.flow() == flow; });
  return rung == rungs_.end() || rung->outcome() != HoldRung::Outcome::running ? nullptr : &*rung;
}

void HoldLadder::on_datagram(const Now& now, FlowHandle flow, ByteView datagram, bool from_reflector) {
  if (!from_reflector) return;
  if (settings_.stun) {
    const auto told = asker_.on_datagram(flow, datagram);
    auto* rung = told ? running_rung(told->rung) : nullptr;
    if (rung == nullptr) return;
    if (told->refused) rung->give_up();
    return hear(now, *rung, told->sequence, told->held);
  }
  auto* rung = running_rung(flow);
  if (rung == nullptr) return;
  const auto parsed = parse_reply(datagram, settings_.identity, rung->ssid(), rung->flow_id());
  const auto* reply = std::get_if<Reply>(&parsed);
  if (reply == nullptr) return;
  hear(now, *rung, reply->base.sender_sequence, std::chrono::milliseconds(reply->held_ms));
}

void HoldLadder::hear(const Now& now, HoldRung& rung, std::uint32_t sequence, Nanos held) {
  rung.on_reply(sequence, held);
  if (rung.outcome() == HoldRung::Outcome::running) return;
  close(rung);
  step(now);
}

}  // namespace ue::probe
