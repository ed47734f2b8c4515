#include "sim/virtual_ladder.h"

namespace ue::sim {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kRoundTrip = 40ms;
constexpr std::size_t kHeaders = 28;

probe::HoldLadder::Settings settings(bool hasty = false) {
  probe::Identity identity{7, 42, {}};
  identity.secret.fill(9);
  if (hasty) return {{1s, 2s, 5s, 10s, 15s}, 5min, identity, 11, 100ms, false, true};
  return {{1s, 2s, 5s, 10s, 20s, 30s, 60s, 120s}, 5min, identity};
}

}  // namespace

VirtualLadder::VirtualLadder(std::uint64_t seed, NatTimers timers, double loss_ratio, bool hasty)
    : nat(timers),
      loss(loss_ratio),
      random_(seed),
      ladder_random_(seed + 1),
      ladder_(settings(hasty), [this] { return ladder_random_(); }),
      reflector_(settings().identity, 77) {
  time_ += 1000s;
}

Now VirtualLadder::now() const { return {time_, WallTime(time_.time_since_epoch() + 1'700'000'000s), {}}; }

void VirtualLadder::run_for(Nanos time) {
  const auto end = time_ + time;
  for (;;) {
    carry_out();
    auto next = std::max(ladder_.wake_at(), time_);
    const bool reply = !replies_.empty() && replies_.top().at <= next;
    if (reply) next = replies_.top().at;
    if (next > end) break;
    time_ = next;
    if (reply) {
      const auto r = replies_.top();
      replies_.pop();
      deliver(r);
    } else {
      ladder_.advance(now(), {1s, losses_needed, 77});
    }
  }
  time_ = end;
}

void VirtualLadder::carry_out() {
  for (auto& action : ladder_.take_actions()) {
    if (const auto* o = std::get_if<probe::OpenFlow>(&action)) {
      open_[o->flow] = true;
      ++ports_;
      most_open_ = std::max(most_open_, open_.size());
    }
    if (const auto* c = std::get_if<probe::CloseFlow>(&action)) open_.erase(c->flow);
    if (const auto* s = std::get_if<probe::SendProbe>(&action)) send(*s);
  }
}

void VirtualLadder::send(const probe::SendProbe& probe) {
  octets_ += probe.packet.size() + kHeaders;
  nat.outward(probe.flow, time_);
  if (lost()) return;
  const auto tlv = stamp::find_tlv(probe.packet, stamp::Mode::authenticated, stamp::TlvType::flow_control);
  const auto asked = tlv ? stamp::FlowTlv::parse(tlv->value) : std::nullopt;
  auto reply = reflector_.receive(now().wall, probe.packet, {});
  if (!reply || (asked && asked->suppress)) return;
  const Nanos hold = reflector_.holds ? std::chrono::milliseconds(asked ? asked->hold_ms : 0) : Nanos();
  octets_ += reply->size() + kHeaders;
  if (!lost()) replies_.push({time_ + kRoundTrip + hold, order_++, probe.flow, std::move(*reply)});
}

void VirtualLadder::deliver(const Reply& reply) {
  if (!nat.inward(reply.flow, time_)) return;
  if (open_.contains(reply.flow)) ladder_.on_datagram(now(), reply.flow, reply.packet, true);
}

}  // namespace ue::sim
