// What the flows of a path mean together: suspicion, inquest, recovery, and the observation that leaves the
// room.
#include <algorithm>

#include "probe/path_prober.h"

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kConvincing = 3;  // answers in a row that end a suspicion
constexpr std::uint32_t kBurstPackets = 20;
constexpr Nanos kBurstRest = 30s;
constexpr Nanos kWitnessTime = 10min;
constexpr Nanos kSteadyProof = 8s;    // a flow this old, still answered, stands for a tunnel
constexpr Nanos kBurst = 3s;          // bursts of losses, and re-dials, are over by then
constexpr Nanos kAfterBurst = 500ms;  // between probes of a steady flow that seems to die
constexpr Nanos kRecentReply = 5s;
constexpr Nanos kBesideValid = 90s;  // what was answered before says nothing about now: all may be out
constexpr Nanos kMute = 57s;         // tried for 3 s more at its end: who is restarted is away for less
constexpr Nanos kToldStands = 160s;  // asked every 30 s: before it is away, for a minute, and twice since
constexpr Nanos kTellingTime = 15s;  // within which the far end should have said what arrived

}  // namespace

std::optional<FlowHandle> PathProber::silent_flow() const {
  if (const auto* w = of_role(Role::witness)) return w->handle;
  const auto* s = steady();
  return s != nullptr && s->loss_run() >= suspicious() ? std::optional(steady_) : std::nullopt;
}

bool PathProber::steady_dead() const { return silent_since_.has_value(); }

void PathProber::begin_inquest(const Now& now, Instant since, Nanos predecessor_age) {
  close_role(Role::witness);
  close_role(Role::successor);
  inquest_.emplace(since, predecessor_age);
  if (standing_ == Standing::no_return) return;
  open(now, Role::successor);
  open(now, Role::fresh);
  open(now, Role::fresh);
  if (now.mono < burst_ready_) return;
  burst_ready_ = now.mono + kBurstRest;
  next_burst_ = now.mono;
  burst_left_ = kBurstPackets;
}

void PathProber::end_inquest() {
  close_role(Role::successor);
  close_role(Role::witness);
  inquest_.reset();
  burst_left_ = 0;
}

/// A newer flow lives where the old one died: it takes over, and the old one is watched on.
void PathProber::promote_successor(const Now& now) {
  auto* heir = of_role(Role::successor);
  auto* old = steady();
  if (heir == nullptr || old == nullptr) return;
  old->role = Role::witness;
  old->next_send = now.mono;
  heir->role = Role::steady;
  steady_ = heir->handle;
  silent_since_.reset();
  witness_until_ = now.mono + kWitnessTime;
}

/// For how long a steady flow must be silent: for a burst, and as many probes more as are no chance. 5 s up
/// to 5 % loss, 8 s at 30 %.
Nanos PathProber::least_silence() const { return kBurst + losses_.no_chance() * kAfterBurst; }

/// Of a steady flow that loses. On a line with long bursts, a silence on all flows is one for longer than K
/// of one flow: until as much was lost as is no chance. An answer on any flow since ends that doubt.
bool PathProber::may_be_burst() const {
  const auto needed = losses_.whole_run();
  return standing_ == Standing::fine && needed > LossModel::kMostNeeded && lost_everywhere_ < needed &&
         !(newest_answered_ && *newest_answered_ > *steady()->first_loss());
}

void PathProber::assess(const Now& now) {
  auto* s = steady();
  if (s == nullptr) return;
  const auto needed = losses_.losses_needed();
  if (!silent_since_ && s->loss_run() >= needed && now.mono - *s->first_loss() >= least_silence() &&
      !may_be_burst()) {
    silent_since_ = now.mono;
    next_fresh_ = std::min(next_fresh_, now.mono);
  }
  if (silent_since_ && s->answer_run() >= kConvincing) silent_since_.reset();

  if (s->loss_run() >= suspicious() && (!inquest_ || inquest_->successors() == Successors::outlived)) {
    begin_inquest(now, *s->first_loss(), *s->dead_age());
  }
  // New flows that stay without any answer while the old one lives: two more make three.
  if (!inquest_ && history_.dead_in_a_row() == 1 && s->loss_run() == 0 && now.mono >= burst_ready_) {
    burst_ready_ = now.mono + kBurstRest;
    open(now, Role::fresh);
    open(now, Role::fresh);
  }
  if (!inquest_) return;
  if (auto* w = of_role(Role::witness);
      w != nullptr && (w->answer_run() >= kConvincing || now.mono > witness_until_)) {
    close(*w);
  }
  const bool paced = standing_ == Standing::no_return;
  const auto* successor = of_role(Role::successor);
  if (silent_since_ && !paced && successor == nullptr && inquest_->successors() == Successors::unknown) {
    successor = &open(now, Role::successor);
  }
  inquest_->update(now.mono, flows_, successor != nullptr ? successor->handle : 0, needed);
  if (inquest_->successors() == Successors::outlived && steady_dead()) promote_successor(now);
  if (paced && inquest_->recovered() && (silent_since_ || s->answers() < kConvincing)) {
    // The return is there again for new flows, which have been asked more often than the old port.
    for (auto& flow : flows_) {
      // One that has lived: a young one would have to be replaced at once, and so on.
      if (!flow->open || flow->role != Role::trial || flow->loss_run() > 0) continue;
      if (flow->answered_age() < inquest_->proof_age()) continue;
      close(*s);
      flow->role = Role::steady;
      steady_ = flow->handle;
      silent_since_.reset();
      break;
    }
  }
  if (standing_ == Standing::fine && !silent_since_ && steady()->answer_run() >= kConvincing &&
      of_role(Role::witness) == nullptr) {
    end_inquest();
  }
}

void PathProber::set_standing(const Now& now, Standing standing) {
  if (standing == standing_ || !running_) return;
  const auto before = standing_;
  standing_ = standing;
  burst_left_ = 0;
  remember_arrival(now.mono);
  if (standing == Standing::no_return) {
    close_role(Role::successor);
    close_role(Role::fresh);
    next_paced_ = now.mono + 3s;
  } else if (before == Standing::no_return) {
    next_fresh_ = now.mono;
    close_role(Role::trial);
    if (auto* s = steady()) s->next_send = now.mono;
  }
  if (standing == Standing::fine) {
    fine_since_ = now.mono;
    end_inquest();
    delivery_.clear();
  } else if (!inquest_) {
    inquest_.emplace(now.mono, Nanos::zero());
  }
  advance(now);
}

Asking::Need PathProber::asking_need() const {
  if (standing_ == Standing::no_return) return Asking::Need::watch;
  const auto* s = steady();
  if (s != nullptr && s->loss_run() > 0 && s->loss_run() >= suspicious()) {
    return delivery_.proves(s->first_loss(), losses_.losses_needed()) ? Asking::Need::watch
                                                                      : Asking::Need::urgent;
  }
  if (unsettled_) return Asking::Need::settle;
  return Asking::Need::routine;
}

/// Questions have failed for a minute, the one at its end too, and no flow was answered: what was told before
/// is of another time, or an outage would look as the one-way path that it was before.
bool PathProber::nobody_answers(Instant now) const {
  const auto since = asking_.mute_since();
  return since && asking_.mute_for() >= kMute && asking_.tcp_works(now) == false &&
         (!last_reply_ || *last_reply_ < *since);
}

/// Another uplink's TCP tells that probes no longer arrive, and this one's fails: what arrived before is of
/// another time.
bool PathProber::nothing_passes(Instant now) const {
  return standing_ == Standing::no_return && asking_.tcp_works(now) == false &&
         delivery_.nothing_arrives(now);
}

/// Where nothing returns: a far end that is away for a while, or is another instance that has not seen enough
/// yet, says nothing of this uplink. What it proved before stands, unless it or TCP says otherwise.
void PathProber::remember_arrival(Instant now) {
  const auto* s = steady();
  const auto told =
      delivery_.arrived(now, s != nullptr ? s->first_loss() : std::nullopt, losses_.losses_needed());
  if (standing_ != Standing::no_return || nobody_answers(now) || nothing_passes(now) || told == false)
    arrival_told_.reset();
  else if (told == true)
    arrival_told_ = delivery_.asked();
}

/// While the steady flow is answered, its replies are the proof. Once it is silent the question is about the
/// probes that have no answer, and replies to others prove nothing about these, or an outage would look like
/// a dead return path for as long as the last reply is fresh.
std::optional<bool> PathProber::forward(Instant now) const {
  const auto* s = steady();
  const bool doubtful = silent_since_ || (s != nullptr && s->loss_run() >= suspicious());
  if (!doubtful) {
    return last_reply_ && now - *last_reply_ <= kRecentReply ? std::optional(true) : std::nullopt;
  }
  if (s == nullptr || nobody_answers(now) || nothing_passes(now)) return std::nullopt;
  const auto told = delivery_.arrived(now, s->first_loss(), losses_.losses_needed());
  if (told == true) return true;
  if (told == false) {
    const bool answered_since = newest_answered_ && *newest_answered_ > *delivery_.denying_since();
    return answered_since ? std::nullopt : told;
  }
  if (arrival_told_ && now - *arrival_told_ <= kToldStands) return true;
  // Nobody tells. Where new flows were answered while the silent one went on losing, the way out works.
  const auto beside = inquest_ ? inquest_->answered_beside() : std::nullopt;
  if (!beside || now - inquest_->newest_beside() > kBesideValid) return std::nullopt;
  if (!s->first_loss() || *s->first_loss() > *beside) return std::nullopt;
  const auto lost_beside = std::count_if(s->pending.begin(), s->pending.end(), [&](const auto& p) {
    return p.missing && !p.answered && p.sent > *beside && p.sent < inquest_->newest_beside();
  });
  // What is proven already needs less to stand, and a paced path could never show more.
  const auto enough = standing_ == Standing::no_return ? suspicious() : losses_.no_chance();
  return lost_beside >= enough ? std::optional(true) : std::nullopt;
}

/// TCP was answered in the midst of the silence, and UDP has been lost since it is: neither the beginning nor
/// the end of an outage looks so.
bool PathProber::tcp_alone_works() const {
  const auto since = asking_.answered_since();
  if (!since || !asking_.own_answer() || *asking_.own_answer() <= *silent_since_) return false;
  const auto lost =
      std::count_if(newest_lost_.begin(), newest_lost_.end(), [&](Instant sent) { return sent >= *since; });
  return lost >= losses_.losses_needed();
}

/// yes: for long enough; no: dead; nothing: it has said too little, or is answered again, not often enough.
std::optional<bool> PathProber::steady_answered(bool witnessed) const {
  const auto* s = steady();
  // It was silent, was answered, and lost some again: that is loss until it is as much as it takes.
  const bool silent = silent_since_ && s != nullptr && s->loss_run() > 0 &&
                      (*s->first_loss() <= *silent_since_ || s->loss_run() >= losses_.losses_needed());
  if (witnessed || silent) return false;
  const bool proven = !silent_since_ && s != nullptr && s->answers() >= kConvincing &&
                      s->loss_run() < suspicious() && s->answered_age() >= kSteadyProof;
  return proven ? std::optional(true) : std::nullopt;
}

/// no: nobody will say which way the missing replies died.
std::optional<bool> PathProber::attributable(Instant now, std::optional<bool> forward) const {
  if (forward) return true;
  if (!silent_since_) return std::nullopt;
  const bool untold = settings_.stun ? tcp_alone_works()
                                     : now - *silent_since_ > kTellingTime && !delivery_.denying_since() &&
                                           delivery_.delivered() == 0 && asking_.answered_since() &&
                                           now - *asking_.answered_since() > kTellingTime;
  return untold ? std::optional(false) : std::nullopt;
}

/// Asked for four times a second: each part is written once, and not all of them cleared before.
Observation PathProber::observe(Instant now) const {
  const auto* s = steady();
  const auto* witness = inquest_ ? of_role(Role::witness) : nullptr;
  const auto* silenced = witness != nullptr ? witness : s;
  const auto needed = losses_.losses_needed();
  const auto there = forward(now);
  return {
      .steady = steady_answered(witness != nullptr),
      .fresh = history_.answered(needed),
      .forward = there,
      .lossy = forward_alarm_.raised() || return_alarm_.raised() || unattributed_alarm_.raised(),
      .tcp = asking_.tcp_works(now),
      .attributable = attributable(now, there),
      .successors = inquest_ ? inquest_->successors() : Successors::unknown,
      .recovered = inquest_ && inquest_->recovered(),
      .window = window_.totals(now),
      .losses_in_a_row = silenced != nullptr ? silenced->loss_run() : 0,
      .losses_needed = needed,
      .delivered_unanswered = delivery_.delivered(),
      .dead_fresh_flows = history_.dead_in_a_row(),
      .dies_at_age = inquest_ ? inquest_->dies_at() : std::nullopt,
      .outlived_age = inquest_ ? inquest_->outlived() : std::nullopt,
      .rtt = rtt_.smoothed(),
      .last_reply = last_reply_,
      .silent_since = s != nullptr ? s->first_loss() : std::nullopt,
  };
}

}  // namespace ue::probe
