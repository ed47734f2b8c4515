#include "probe/response_port.h"

#include <algorithm>
#include <utility>

#include "probe/stun_packets.h"

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kMostGreetings = 8;
constexpr Nanos kGreetAgain = 1s;
constexpr std::uint32_t kAfterSilence = 0x80000000;  ///< set in the number of what is asked for again

}  // namespace

void ResponsePort::open(const Instant& now, FlowHandle own, std::uint64_t id, std::vector<Action>& actions) {
  close(actions);
  own_ = own;
  own_id_ = id;
  greetings_ = 0;
  next_greeting_ = now;
  own_address_.reset();
  actions.emplace_back(OpenFlow{own});
}

void ResponsePort::close(std::vector<Action>& actions) {
  if (own_ != 0) actions.emplace_back(CloseFlow{own_});
  own_ = 0;
  rungs_.clear();
  wakes_.clear();
}

void ResponsePort::send(Instant now, FlowHandle rung, std::uint64_t rung_id, std::uint32_t sequence,
                        Nanos held, std::vector<Action>& actions) {
  auto& r = rungs_[rung];
  r.id = rung_id;
  actions.emplace_back(SendProbe{rung, sequence, build_stun_probe(rung_id, sequence)});
  if (held == Nanos::zero()) return;
  r.held[sequence] = held;
  wakes_.push_back({now + held, rung, sequence});
}

std::vector<FlowHandle> ResponsePort::advance(Instant now, std::vector<Action>& actions) {
  std::vector<FlowHandle> mute;
  if (own_ == 0) return mute;
  if (!own_address_ && greetings_ < kMostGreetings && now >= next_greeting_) {
    next_greeting_ = now + kGreetAgain;
    actions.emplace_back(SendProbe{own_, greetings_, build_stun_probe(own_id_, greetings_)});
    ++greetings_;
  }
  for (const auto& w : wakes_) {
    if (w.at > now) continue;
    const auto& rung = rungs_[w.rung];
    if (!rung.mapped || !own_address_ || rung.mapped->address != *own_address_) {
      mute.push_back(w.rung);
      continue;
    }
    const auto number = w.sequence | kAfterSilence;
    actions.emplace_back(SendProbe{own_, number, build_stun_probe(rung.id, number, rung.mapped->port)});
  }
  std::erase_if(wakes_, [now](const auto& w) { return w.at <= now; });
  return mute;
}

Instant ResponsePort::wake_at() const {
  if (own_ == 0) return Instant::max();
  Instant at = !own_address_ && greetings_ < kMostGreetings ? next_greeting_ : Instant::max();
  for (const auto& w : wakes_) at = std::min(at, w.at);
  return at;
}

std::optional<ResponsePort::Told> ResponsePort::on_datagram(FlowHandle flow, ByteView datagram) {
  if (flow == own_ && own_ != 0) {
    const auto greeted = parse_stun_reply(datagram, own_id_);
    if (const auto* reply = std::get_if<Reply>(&greeted)) {
      if (reply->mapped_endpoint) own_address_ = reply->mapped_endpoint->address;
      return std::nullopt;
    }
    for (const auto& [handle, rung] : rungs_) {
      const auto parsed = parse_stun_reply(datagram, rung.id);
      if (std::get_if<Reply>(&parsed) != nullptr) return Told{handle, 0, {}, true};
    }
    return std::nullopt;
  }
  const auto found = rungs_.find(flow);
  if (found == rungs_.end()) return std::nullopt;
  auto& rung = found->second;
  const auto parsed = parse_stun_reply(datagram, rung.id);
  const auto* reply = std::get_if<Reply>(&parsed);
  if (reply == nullptr || !reply->mapped_endpoint) return std::nullopt;
  const auto sequence = reply->base.sender_sequence;
  if ((sequence & kAfterSilence) != 0) {
    const auto held = rung.held.find(sequence & ~kAfterSilence);
    if (held == rung.held.end()) return std::nullopt;
    return Told{flow, held->first, held->second, false};
  }
  rung.mapped = reply->mapped_endpoint;
  // What is to be held has been answered at once, too; that is no news.
  if (rung.held.contains(sequence)) return std::nullopt;
  return Told{flow, sequence, {}, false};
}

}  // namespace ue::probe
