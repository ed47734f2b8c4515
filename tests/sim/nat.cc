#include "sim/nat.h"

namespace ue::sim {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kStream = 2s;  // Linux calls a flow a stream after so long
constexpr std::size_t kSwept = 4096;
constexpr Nanos kKept = 2h;

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
  if (mappings_.size() > kSwept) {
    std::erase_if(mappings_, [now](const auto& m) { return now - m.second.newest > kKept; });
  }
  auto [m, fresh] = mappings_.try_emplace(flow, Mapping{now, now});
  // What is forgotten begins anew, but a limit on age does not: it is the flow that the carrier no longer
  // serves.
  if (!fresh && timers.absolute == Nanos::zero() && forgotten(m->second, now)) m->second = {now, now};
  m->second.newest = now;
  if (m->second.replied && now - m->second.first > kStream) m->second.stream = true;
}

bool TimedNat::inward(probe::FlowHandle flow, Instant now) {
  const auto m = mappings_.find(flow);
  if (!timers.returns || m == mappings_.end() || forgotten(m->second, now)) return false;
  m->second.replied = true;
  if (now - m->second.first > kStream) m->second.stream = true;
  if (timers.inbound_refreshes) m->second.newest = now;
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
