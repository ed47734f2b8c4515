// What becomes of a packet, and of a question.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sim/virtual_path.h"

namespace ue::sim {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kAskTimeout = 4s;         // as the agent's
constexpr std::size_t kUdpHeaders = 28;   // IPv4 and UDP
constexpr std::size_t kSyn = 60;          // IPv4 and TCP with its options
constexpr std::size_t kConnection = 886;  // ten segments without what they carry, and HTTP's own headers

/// Octets of a signed question about so many flows.
std::size_t request_size(std::size_t flows) {
  stamp::QueryRequest request;
  request.key_id = 1;
  request.gateway_id = 1;
  request.flows.assign(flows, 1);
  return stamp::encode(request).size();
}

}  // namespace

Packet VirtualPath::packet(probe::FlowHandle handle, Flow& flow, bool outward) {
  Packet p{handle, outward, world_, {}, {}};
  if (!flow.open) return p;
  if (!flow.first) flow.first = flow.last_outward = world_;
  p.since_first = world_ - *flow.first;
  p.since_outward = world_ - flow.last_outward;
  if (outward) flow.last_outward = world_;
  return p;
}

/// Bursts are short more often than long.
bool VirtualPath::in_timed_burst(Link& link) {
  if (link.burst_every == Nanos::zero()) return false;
  const auto again = [&] { return from_seconds(-std::log(1 - chance()) * to_seconds(link.burst_every)); };
  if (link.next_burst == Instant{}) link.next_burst = world_ + again();
  while (world_ >= link.next_burst) {
    const double part = chance();
    link.burst_until = link.next_burst + from_seconds(to_seconds(link.burst_longest) * part * part);
    link.next_burst = link.burst_until + again();
  }
  return world_ < link.burst_until;
}

bool VirtualPath::crosses(Link& link, const Packet& packet) {
  link.in_burst = link.in_burst ? chance() >= link.burst_ends : chance() < link.burst_begins;
  const bool lucky = !link.in_burst && !in_timed_burst(link) && chance() >= link.loss;
  const bool crossed = (!link.passes || link.passes(packet)) && lucky && !cut_;
  (packet.outward ? losses_out_ : losses_back_).record(elapsed(), !crossed);
  return crossed;
}

Nanos VirtualPath::travel(const Link& link) {
  auto time = link.delay;
  time += Nanos(static_cast<std::int64_t>(static_cast<double>(link.jitter.count()) * chance()));
  if (link.straggler > 0 && chance() < link.straggler) time += 900ms;
  return time;
}

std::uint64_t& VirtualPath::octets_of(probe::FlowHandle flow) {
  if (probe::HoldLadder::owns(flow)) return octets_.ladder;
  return probe::SizeCheck::owns(flow) ? octets_.size : octets_.probes;
}

/// Whether sent() and truth() tell of it.
bool VirtualPath::counted(probe::FlowHandle flow) {
  return !probe::HoldLadder::owns(flow) && !probe::SizeCheck::owns(flow);
}

bool VirtualPath::too_big(const probe::SendProbe& probe) {
  if (probe.packet.size() <= out.largest) return false;
  if (out.tells_largest) {
    schedule(world_ + out.delay, [this, flow = probe.flow] {
      size_.on_too_big(now(), flow, static_cast<std::uint32_t>(out.largest + kUdpHeaders));
    });
  }
  return true;
}

void VirtualPath::send(probe::SendProbe& probe) {
  auto& flow = flows_[probe.flow];
  if (!flow.open) throw std::logic_error("a probe on a flow that is not open");
  ++packet_events_;
  octets_of(probe.flow) += probe.packet.size() + kUdpHeaders;
  if (counted(probe.flow)) {
    ++truth_.sent;
    sent_.push_back({elapsed(), probe.flow, probe.sequence});
    if (probe.sequence == 0) flow.opened = elapsed();
    prober_.on_transmitted(probe.flow, probe.sequence, now().wall);
  }
  if (too_big(probe)) return;
  if (!crosses(out, packet(probe.flow, flow, true))) {
    if (counted(probe.flow)) ++truth_.lost_outward;
    return;
  }
  const auto arrival = [&](Bytes packet) {
    packets_.add(world_ + travel(out), {true, probe.flow, 0, world_, std::move(packet)});
  };
  if (out.duplicate > 0 && chance() < out.duplicate) arrival(probe.packet);
  arrival(std::move(probe.packet));
}

void VirtualPath::arrive(OnTheWay& event) {
  ++packet_events_;
  const auto flow = event.flow;
  const Endpoint source{IpAddress::v4(0xc6336401),
                        static_cast<std::uint16_t>(1024 + (flow * 7 + binding_ * 101) % 60000)};
  const bool holds = probe::HoldLadder::owns(flow);
  auto& there = holds ? holding_ : reflectors_[balance ? balance({flow, true, world_, {}, {}}) : 0];
  auto reply = there.receive(kEpoch + world_.time_since_epoch(), event.packet, source, std::move(room_));
  if (!reply || reply->size() > back.largest) return;
  Nanos hold{};
  if (holds) {
    const auto tlv = stamp::find_tlv(event.packet, stamp::Mode::authenticated, stamp::TlvType::flow_control);
    const auto asked = tlv ? stamp::FlowTlv::parse(tlv->value) : std::nullopt;
    if (asked && asked->suppress) return;
    hold = std::chrono::milliseconds(asked ? asked->hold_ms : 0);
  }
  room_ = std::move(event.packet);
  packets_.add(world_ + hold + travel(back), {false, flow, binding_, event.sent, std::move(*reply)});
}

void VirtualPath::come_back(const OnTheWay& event) {
  const auto flow = event.flow;
  auto& known = flows_[flow];
  const bool crossed = crosses(back, packet(flow, known, false)) && event.binding == binding_;
  if (!crossed || asleep_ || !known.open) {
    if (!counted(flow)) return;
    ++truth_.lost_inward;
    if (!first_lost_reply_) first_lost_reply_ = event.sent - begin_;
    return;
  }
  ++packet_events_;
  octets_of(flow) += event.packet.size() + kUdpHeaders;
  if (probe::HoldLadder::owns(flow)) {
    touch(kLadder);
    return ladder_->on_datagram(now(), flow, event.packet, true);
  }
  if (probe::SizeCheck::owns(flow)) {
    touch(kSize);
    return size_.on_datagram(now(), flow, event.packet, true);
  }
  touch(kProber);
  if (verdict() != verdict::Verdict::healthy) {
    const auto age = event.sent - begin_ - known.opened.value();
    if (age > 20s) answered_.push_back({elapsed(), flow, age});
  }
  prober_.on_datagram(now(), flow, event.packet, true, now().wall);
}

void VirtualPath::ask(const probe::AskReflector& ask) {
  ++questions_;
  try_question({now().mono, ask.flow_ids, world_ + kAskTimeout, true}, 1s);
}

/// The answer as it is read at the gateway.
stamp::QueryAnswer VirtualPath::written(const stamp::QueryAnswer& answer, const Question& question) {
  const auto text = stamp::encode(answer);
  if (question.own) octets_.questions += kConnection + request_size(question.flows.size()) + text.size();
  const auto parsed = stamp::parse_answer(text);
  if (!parsed) throw std::logic_error("an answer that cannot be read: " + parsed.error());
  return *parsed;
}

/// A SYN that is lost is sent again after 1, 2 and 4 s, until the attempt is given up.
void VirtualPath::try_question(Question question, Nanos retry) {
  const bool works = question.own ? tcp.own && !cut_ : tcp.other;
  if (works) {
    schedule(world_ + tcp.round_trip / 2, [this, q = std::move(question)] {
      auto answer = reflectors_[asked_instance].answer(q.flows);
      if (writes_questions) answer = written(answer, q);
      schedule(world_ + tcp.round_trip / 2, [this, q, answer = std::move(answer)] {
        answered({q.asked, q.own, answer});
      });
    });
  } else if (world_ + retry < question.give_up) {
    if (question.own) octets_.questions += kSyn;
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

}  // namespace ue::sim
