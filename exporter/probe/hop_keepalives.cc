#include "probe/hop_keepalives.h"

#include <algorithm>

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kExchangeEvery = 500ms;
constexpr std::uint32_t kExchanges = 7;  // three seconds of them: a stream, as in the hold ladder
constexpr Nanos kStaggered = 250ms;
constexpr Nanos kHopGrace = 2s;

}  // namespace

HopKeepalives::HopKeepalives(const Plan& plan, FlowHandle first, const Identity& identity,
                             const PathState& path, const RandomSource& random, Instant now)
    : plan_(plan), identity_(identity), instance_id_(path.instance_id) {
  Instant begin = now;
  for (unsigned ttl = 0; ttl <= plan.hops; ++ttl) {
    for (std::size_t i = 0; i < kRepeats; ++i) {
      Flow flow;
      flow.handle = first++;
      flow.id = random();
      flow.ssid = static_cast<std::uint16_t>(random() | 1);
      flow.ttl = ttl;
      flow.begin = begin;
      begin += kStaggered;
      flows_.push_back(flow);
    }
  }
}

Instant HopKeepalives::Flow::held_until(const Plan& plan) const {
  return begin + kExchanges * kExchangeEvery + plan.hold;
}

/// When its next packet is due: the stream, the one whose reply is held, the keepalives.
Instant HopKeepalives::Flow::next(const Plan& plan) const {
  if (sent <= kExchanges) return begin + sent * kExchangeEvery;
  const auto at = begin + kExchanges * kExchangeEvery + (sent - kExchanges) * plan.every;
  return ttl == 0 || at >= held_until(plan) ? Instant::max() : at;
}

void HopKeepalives::send(const Now& now, Flow& flow, std::vector<Action>& actions) {
  if (!flow.open) {
    flow.open = true;
    actions.push_back(OpenFlow{flow.handle});
  }
  const auto sequence = flow.sent++;
  Extras extras;
  extras.naming = true;
  extras.instance_id = instance_id_;
  SendProbe probe{flow.handle, sequence, {}, std::nullopt};
  if (sequence == kExchanges) extras.hold = plan_.hold;
  if (sequence > kExchanges) {
    extras.suppress = true;  // should one arrive after all
    probe.ttl = static_cast<std::uint8_t>(flow.ttl);
  }
  probe.packet = build_probe(identity_, flow.id, flow.ssid, sequence, now.wall, extras);
  actions.push_back(std::move(probe));
}

void HopKeepalives::advance(const Now& now, Nanos loss_timeout, std::vector<Action>& actions) {
  if (outcome_ != Outcome::running) return;
  grace_ = std::max(loss_timeout, kHopGrace);
  bool over = true;
  for (auto& f : flows_) {
    if (f.closed) continue;
    while (f.next(plan_) <= now.mono) send(now, f, actions);
    if (f.came_back || now.mono >= f.held_until(plan_) + grace_) {
      f.closed = true;
      actions.push_back(CloseFlow{f.handle});
    } else {
      over = false;
    }
  }
  if (over) conclude();
}

void HopKeepalives::conclude() {
  outcome_ = Outcome::inconclusive;
  std::vector<bool> back(plan_.hops + 1);
  for (unsigned ttl = 0; ttl <= plan_.hops; ++ttl) {
    bool proven = true;
    for (const auto& f : flows_) {
      if (f.ttl != ttl) continue;
      back[ttl] = back[ttl] || f.came_back;
      proven = proven && f.exchanged;
    }
    if (!back[ttl] && !proven) return;  // its silence may have another cause
  }
  if (back[0]) {
    outcome_ = Outcome::outlived;
    return;
  }
  const auto first = std::find(back.begin(), back.end(), true);
  if (first == back.end() || !std::all_of(first, back.end(), [](bool b) { return b; })) return;
  hop_ = static_cast<unsigned>(first - back.begin());
  outcome_ = Outcome::found;
}

Instant HopKeepalives::wake_at() const {
  if (outcome_ != Outcome::running) return Instant::max();
  Instant at = Instant::max();
  for (const auto& f : flows_) {
    if (!f.closed) at = std::min({at, f.next(plan_), f.held_until(plan_) + grace_});
  }
  return at;
}

void HopKeepalives::on_datagram(FlowHandle flow, ByteView datagram) {
  const auto f =
      std::find_if(flows_.begin(), flows_.end(), [&](const auto& known) { return known.handle == flow; });
  if (f == flows_.end() || f->closed) return;
  const auto parsed = parse_reply(datagram, identity_, f->ssid, f->id);
  const auto* reply = std::get_if<Reply>(&parsed);
  if (reply == nullptr || !reply->from_ours) return;
  if (reply->base.sender_sequence < kExchanges) {
    f->exchanged = true;
  } else if (reply->base.sender_sequence == kExchanges) {
    if (std::chrono::milliseconds(reply->held_ms) < plan_.hold * 7 / 8) {
      outcome_ = Outcome::refused;
    } else {
      f->came_back = true;
    }
  }
}

void HopKeepalives::abandon(std::vector<Action>& actions) {
  for (auto& f : flows_) {
    if (f.open && !f.closed) actions.push_back(CloseFlow{f.handle});
    f.closed = true;
  }
}

std::vector<std::uint64_t> HopKeepalives::lost_flows() const {
  std::vector<std::uint64_t> ids;
  for (const auto& f : flows_) {
    if (f.exchanged && !f.came_back) ids.push_back(f.id);
  }
  return ids;
}

}  // namespace ue::probe
