// When which flow of a path sends: the schedules of the roles, the burst that confirms, and the slow pace of
// no return.
#include <algorithm>

#include "probe/path_prober.h"
#include "probe/stun_packets.h"

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kFreshAges[] = {0s, 1s, 2s, 4s, 8s, 15s, 25s};
constexpr Nanos kFreshWanted = 5s;
constexpr Nanos kSuccessorEager = 500ms;
constexpr Nanos kSuccessorEagerAge = 8s;
constexpr Nanos kSuccessorDying = 250ms;
constexpr Nanos kSteadyDying = 500ms;
constexpr std::uint32_t kAskedAgain = 3;  // losses in a row
constexpr Nanos kWitnessInterval = 5s;
constexpr Nanos kBurstSpacing = 200ms;
constexpr Nanos kPaced = 3s;               // RFC 8085 §3.1.1: one datagram per 3 s where nothing returns
constexpr std::uint32_t kSteadySlot = 10;  // of the paced slots one in so many goes to the old steady flow
constexpr std::uint32_t kUnknownSlot = 2;
constexpr std::uint32_t kNamingEvery = 30;
constexpr Nanos kLongSilence = 8s;

}  // namespace

void PathProber::send(const Now& now, Flow& flow) {
  // Until an answer shows that the reflector knows the session, every probe names it.
  const bool known_there = flow.highest_answered() && *flow.highest_answered() + 1 == flow.sent();
  const bool naming = flow.sent() % kNamingEvery == 0 || !known_there;
  const auto sequence = flow.record_sent(now, naming);
  Extras extras;
  extras.naming = naming;
  const auto silence = mapping_.sent(flow.handle, now.mono);
  // A new flow's silences grow: after a long one its mapping may be another.
  extras.location = sequence % kNamingEvery == 0 || (flow.role == Role::fresh && silence >= kLongSilence);
  extras.instance_id = settlement_.instance_id();
  settlement_.count_sent(flow.kind());
  auto packet = settings_.stun
                    ? build_stun_probe(flow.flow_id, sequence)
                    : build_probe(settings_.identity, flow.flow_id, flow.ssid, sequence, now.wall, extras);
  actions_.emplace_back(SendProbe{flow.handle, sequence, std::move(packet)});
}

/// For how many losses in a row it is worth hurrying: until no burst of this line lasts as long.
std::uint32_t PathProber::losses_in_doubt() const {
  return standing_ == Standing::fine ? losses_.whole_run() : losses_.losses_needed();
}

/// Asked twice as often while it seems to die: a burst has its rest, and K may be large on a lossy line.
Nanos PathProber::steady_interval(const Flow& flow) const {
  const bool dying = flow.loss_run() >= kAskedAgain && flow.loss_run() < losses_in_doubt();
  return dying ? kSteadyDying : settings_.interval;
}

/// A successor is probed faster while young, and faster still while it seems to die: that is what the inquest
/// waits for.
Nanos PathProber::successor_interval(const Flow& flow, Instant now) const {
  if (flow.loss_run() > 0 && flow.loss_run() < losses_in_doubt()) return kSuccessorDying;
  return flow.age(now) < kSuccessorEagerAge ? kSuccessorEager : settings_.interval;
}

void PathProber::schedule_next(const Now& now, Flow& flow) {
  switch (flow.role) {
    case Role::steady:
      flow.next_send = now.mono + jitter(std::min(settings_.interval, steady_interval(flow)));
      return;
    case Role::witness:
      flow.next_send = now.mono + jitter(kWitnessInterval);
      return;
    case Role::successor:
      flow.next_send = now.mono + jitter(std::min(settings_.interval, successor_interval(flow, now.mono)));
      return;
    case Role::fresh:
    case Role::trial:
      break;
  }
  // A trial that outlived the paced regime ends like a fresh flow.
  if (++flow.step < std::size(kFreshAges)) {
    flow.next_send =
        flow.opened + kFreshAges[flow.step] + Nanos(static_cast<std::int64_t>(random_() % 50'000'000));
  } else {
    flow.next_send = Instant::max();
  }
}

void PathProber::send_due(const Now& now) {
  if (now.mono >= next_fresh_) {
    // Once the steady flow is silent, what new flows meet decides which fault it is.
    const bool wanted = silent_since_ && (!history_.answered(losses_.losses_needed()) || !forward(now.mono));
    next_fresh_ = now.mono + jitter(wanted ? std::min<Nanos>(kFreshWanted, settings_.fresh_interval)
                                           : settings_.fresh_interval);
    open(now, Role::fresh);
  }
  for (auto& flow : flows_) {
    if (flow->next_send > now.mono) continue;
    send(now, *flow);
    schedule_next(now, *flow);
  }
  if (burst_left_ == 0 || now.mono < next_burst_) return;
  next_burst_ = now.mono + kBurstSpacing;
  --burst_left_;
  // Every other packet goes to the steady flow, the rest to the two newest fresh ones.
  if (auto* s = steady(); s != nullptr && burst_left_ % 2 == 1) {
    send(now, *s);
    return;
  }
  std::vector<Flow*> fresh;
  for (auto f = flows_.rbegin(); f != flows_.rend() && fresh.size() < 2; ++f) {
    if ((*f)->open && (*f)->role == Role::fresh) fresh.push_back(f->get());
  }
  if (!fresh.empty()) send(now, *fresh[burst_left_ / 2 % fresh.size()]);
}

/// One packet per slot over all flows together: two trials that show a return as soon as there is one, and
/// now and then the old steady flow.
void PathProber::send_paced(const Now& now) {
  if (now.mono < next_paced_) return;
  next_paced_ = now.mono + kPaced + Nanos(static_cast<std::int64_t>(random_() % 300'000'000));
  lent_last_ = lending_ && !lent_last_;
  lent_ = lent_last_;
  if (lent_) return;
  for (auto& flow : flows_) {
    if (flow->open && flow->role == Role::trial && flow->loss_run() >= dying(losses_.losses_needed()))
      close(*flow);
  }
  std::vector<Flow*> trials;
  for (auto& flow : flows_) {
    if (flow->open && flow->role == Role::trial) trials.push_back(flow.get());
  }
  const auto slot = paced_slot_++;
  // A steady flow that is not known to be dead (the sockets are new, or it was answered meanwhile) is what
  // the verdict waits for.
  auto* s = steady();
  const bool known_dead =
      silent_since_ && s != nullptr && s->first_loss() && *s->first_loss() <= *silent_since_;
  const auto steady_slot = known_dead ? kSteadySlot : kUnknownSlot;
  if (slot % steady_slot == steady_slot - 1 && s != nullptr) {
    send(now, *s);
  } else if (const auto turn = trial_slot_++ % 2; trials.size() <= turn) {
    send(now, open(now, Role::trial));  // its age counts from its first packet
  } else {
    send(now, *trials[turn]);
  }
}

Nanos PathProber::jitter(Nanos interval) {
  const auto spread = interval.count() / 10;  // +-5 %
  return interval +
         Nanos(static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(spread)) - spread / 2);
}

}  // namespace ue::probe
