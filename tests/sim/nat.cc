#include "sim/nat.h"

namespace ue::sim {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kStream = 2s;  // Linux calls a flow a stream after so long

}  // namespace

Behaviour absolute_lifetime(VirtualPath& path, Nanos lifetime, Nanos since) {
  return [&path, lifetime, since](const Packet& p) {
    return path.elapsed() < since || p.since_first < lifetime;
  };
}

Behaviour idle_timeout(Nanos timeout) {
  return [timeout](const Packet& p) { return p.since_outward < timeout; };
}

Behaviour nothing() {
  return [](const Packet&) { return false; };
}

Behaviour without_flows_until_now(VirtualPath& path) {
  return [begin = path.now().boot](const Packet& p) {
    return p.now.time_since_epoch() - p.since_first >= begin;
  };
}

Behaviour only_flows_until_now(VirtualPath& path) {
  return
      [begin = path.now().boot](const Packet& p) { return p.now.time_since_epoch() - p.since_first < begin; };
}

bool TimedNat::forgotten(const Mapping& m, Instant now) const {
  const auto timer = m.stream ? timers.stream : m.replied ? timers.replied : timers.unreplied;
  if (timer > Nanos::zero() && now - m.newest > timer) return true;
  return timers.absolute > Nanos::zero() && now - m.first > timers.absolute;
}

void TimedNat::outward(probe::FlowHandle flow, Instant now) {
  auto& m = mappings_[flow];
  // What is forgotten begins anew, but a limit on age does not: it is the flow that the carrier no longer
  // serves.
  if (!m.there || (timers.absolute == Nanos::zero() && forgotten(m, now))) m = {true, now, now};
  m.newest = now;
  if (m.replied && now - m.first > kStream) m.stream = true;
}

bool TimedNat::inward(probe::FlowHandle flow, Instant now) {
  auto& m = mappings_[flow];
  if (!timers.returns || !m.there || forgotten(m, now)) return false;
  m.replied = true;
  if (now - m.first > kStream) m.stream = true;
  if (timers.inbound_refreshes) m.newest = now;
  return true;
}

void TimedNat::stand_on(VirtualPath& path) {
  path.out.passes = [this](const Packet& p) {
    outward(p.flow, p.now);
    return true;
  };
  path.back.passes = [this](const Packet& p) { return inward(p.flow, p.now); };
}

}  // namespace ue::sim
