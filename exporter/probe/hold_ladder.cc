#include "probe/hold_ladder.h"

#include <algorithm>

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr int kRepeats = 2;
constexpr Nanos kStagger = 250ms;  ///< between two openings, so that a rate limit is not what is measured
constexpr Nanos kBetweenBatches = 60s;  ///< a subscriber may own 240 ports: 85 in five minutes at most
constexpr Nanos kFullSetEvery = 6h;
constexpr Nanos kLeastGrace = 2s;
constexpr Nanos kResolution = 1s;

}  // namespace

HoldLadder::HoldLadder(Settings settings, RandomSource random)
    : settings_(std::move(settings)), random_(std::move(random)) {}

void HoldLadder::set_allowed(const Now& now, bool allowed) {
  if (allowed == allowed_) return;
  allowed_ = allowed;
  if (!allowed) {
    abandon();
    planned_.clear();
    return;
  }
  next_batch_ = std::max(next_batch_, now.mono);
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

void HoldLadder::plan_pattern(Pattern p) {
  Batch batch;
  for (const auto hold : settings_.holds) {
    if (hold > HoldRung::longest(p)) break;
    for (int i = 0; i < kRepeats && batch.size() + 1 < kMostFlows; ++i) batch.push_back({p, hold});
  }
  if (!batch.empty()) planned_.push_front(std::move(batch));
}

/// The stream first: its lifetime is what a tunnel needs.
void HoldLadder::plan_full_set() {
  for (const auto p :
       {Pattern::active, Pattern::inbound, Pattern::exchange, Pattern::solitary, Pattern::stream})
    plan_pattern(p);
}

/// Whole seconds inside the bracket.
bool HoldLadder::plan_refinement(Pattern p) {
  const auto b = lifetime(p).bracket();
  if (!b || !b->upper || *b->upper - b->lower <= kResolution) return false;
  const auto width = (*b->upper - b->lower) / 1s;
  const auto points =
      std::min<std::int64_t>((static_cast<std::int64_t>(kMostFlows) - 1) / kRepeats, width - 1);
  Batch batch;
  for (std::int64_t i = 1; i <= points; ++i) {
    const Nanos hold = std::chrono::floor<std::chrono::seconds>(b->lower) + (width * i / (points + 1)) * 1s;
    if (hold <= b->lower || hold >= *b->upper) continue;
    for (int n = 0; n < kRepeats; ++n) batch.push_back({p, hold});
  }
  if (batch.empty()) return false;
  planned_.push_front(std::move(batch));
  return true;
}

/// A bound that could still be chance is tried again at once, as often as it takes.
bool HoldLadder::plan_confirmation(Pattern p) {
  const auto b = lifetime(p).bracket();
  if (!b || !b->upper || b->failures >= path_.losses_needed) return false;
  const auto missing = std::min<std::size_t>(path_.losses_needed - b->failures, kMostFlows - 1);
  planned_.push_front(Batch(missing, Plan{p, *b->upper}));
  return true;
}

/// Do the brackets still stand? Both sides of those that matter, twice.
bool HoldLadder::plan_check() {
  Batch batch;
  for (const auto p : {Pattern::stream, Pattern::solitary}) {
    const auto b = lifetime(p).bracket();
    if (!b) continue;
    for (int i = 0; i < kRepeats; ++i) {
      if (b->lower > Nanos::zero()) batch.push_back({p, b->lower});
      if (b->upper) batch.push_back({p, *b->upper});
    }
  }
  if (batch.empty()) return false;
  planned_.push_back(std::move(batch));
  return true;
}

Nanos HoldLadder::random_up_to(Nanos longest) {
  return Nanos(static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(longest.count())));
}

void HoldLadder::begin(const Now& now) {
  if (planned_.empty()) {
    if (now.mono >= next_full_ || !plan_check()) {
      plan_full_set();
      next_full_ = now.mono + kFullSetEvery;
    }
    if (planned_.empty()) return;
  }
  running_ = true;
  closing_ = false;
  unopened_.assign(planned_.front().begin(), planned_.front().end());
  planned_.pop_front();
  unopened_.push_front({Pattern::solitary, Nanos::zero()});
  next_open_ = now.mono;
  next_batch_ = now.mono + kBetweenBatches;
}

void HoldLadder::open(const Now& now, const Plan& plan) {
  // Handles stay in the upper half for longer than any machine runs.
  rungs_.emplace_back(plan.pattern, plan.hold, next_handle_++, random_(),
                      static_cast<std::uint16_t>(random_() | 1), now.mono);
  actions_.push_back(OpenFlow{rungs_.back().flow()});
}

void HoldLadder::send(const Now& now, HoldRung& rung) {
  for (const auto& p : rung.due(now.mono)) {
    Extras extras;
    extras.naming = true;
    extras.instance_id = path_.instance_id;
    extras.hold = p.hold;
    extras.suppress = p.suppress;
    actions_.push_back(SendProbe{
        rung.flow(), p.sequence,
        build_probe(settings_.identity, rung.flow_id(), rung.ssid(), p.sequence, now.wall, extras)});
  }
}

void HoldLadder::close(HoldRung& rung) { actions_.push_back(CloseFlow{rung.flow()}); }

void HoldLadder::abandon() {
  for (auto& r : rungs_) {
    if (r.outcome() == HoldRung::Outcome::running) close(r);
  }
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
  if (!running_ && !held_off_ && now.mono >= next_batch_) begin(now);
  if (!running_) return;
  while (!unopened_.empty() && now.mono >= next_open_) {
    open(now, unopened_.front());
    unopened_.pop_front();
    next_open_ = now.mono + kStagger;
  }
  bool over = unopened_.empty();
  for (auto& r : rungs_) {
    if (r.outcome() != HoldRung::Outcome::running) continue;
    send(now, r);
    r.expire(now.mono, grace());
    if (r.outcome() != HoldRung::Outcome::running) {
      close(r);
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

void HoldLadder::finish(const Now& now) {
  const auto controls = std::count_if(rungs_.begin(), rungs_.end(), [](const auto& r) {
    return r.control() && r.outcome() == HoldRung::Outcome::came_back;
  });
  bool said = false;
  for (const auto& r : rungs_) {
    if (controls < 2 || r.control() || r.outcome() == HoldRung::Outcome::no_say) continue;
    said = true;
    const bool back = r.outcome() == HoldRung::Outcome::came_back;
    lifetime(r.pattern()).record(r.hold(), back);
    if (!std::binary_search(settings_.holds.begin(), settings_.holds.end(), r.hold())) continue;
    auto& count = counts_[{r.pattern(), r.hold()}];
    ++count.probes;
    count.replies += back ? 1 : 0;
  }
  if (controls < 2) ++void_batches_;
  refused_ = controls == 2 && !said;
  rungs_.clear();
  running_ = false;
  if (said) {
    follow_up(Pattern::solitary);
    follow_up(Pattern::stream);  // planned last, so done first
  }
  if (refused_) {
    planned_.clear();
    next_batch_ = next_full_;  // it may be allowed by then
    return;
  }
  if (planned_.empty()) next_batch_ = now.mono + settings_.interval + random_up_to(settings_.interval / 10);
}

/// A bound that could be chance is tried again before anything is built on it; then it is made sharp.
void HoldLadder::follow_up(Pattern p) {
  if (plan_confirmation(p)) return;
  const auto b = lifetime(p).bracket();
  if (!b) return;
  auto& known = known_[static_cast<std::size_t>(p)];
  const auto before = std::exchange(known, b);
  if (before && b->upper && *b->upper <= before->lower) {
    lifetime(p).forget_successes();
    plan_pattern(p);
  } else if (before && before->upper && b->lower >= *before->upper) {
    lifetime(p).forget_longer(b->lower);
    plan_pattern(p);
  } else {
    plan_refinement(p);
  }
}

Instant HoldLadder::wake_at() const {
  if (!allowed_) return Instant::max();
  if (!running_) return held_off_ ? Instant::max() : next_batch_;
  Instant at = unopened_.empty() ? Instant::max() : next_open_;
  for (const auto& r : rungs_) at = std::min(at, r.wake_at(grace()));
  return at;
}

void HoldLadder::on_datagram(const Now& now, FlowHandle flow, ByteView datagram, bool from_reflector) {
  if (!from_reflector) return;
  const auto rung =
      std::find_if(rungs_.begin(), rungs_.end(), [&](const auto& r) { return r.flow() == flow; });
  if (rung == rungs_.end() || rung->outcome() != HoldRung::Outcome::running) return;
  const auto parsed = parse_reply(datagram, settings_.identity, rung->ssid(), rung->flow_id());
  const auto* reply = std::get_if<Reply>(&parsed);
  if (reply == nullptr || !reply->flow) return;
  rung->on_reply(reply->base.sender_sequence, std::chrono::milliseconds(reply->flow->hold_ms));
  if (rung->outcome() == HoldRung::Outcome::running) return;
  close(*rung);
  step(now);
}

}  // namespace ue::probe
