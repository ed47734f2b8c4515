#include "probe/nat_survey.h"

#include <algorithm>

#include "stun/binding.h"

namespace ue::probe {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostServers = 4;
constexpr std::uint32_t kTriesOfTest = 5;
constexpr std::uint32_t kLeastTries = 5;  // of what may be filtered
constexpr std::uint32_t kMostTries = 12;
constexpr Nanos kSpacing = 500ms;  // RFC 8489 §6.2.1: the least time-out; the path's own where that is longer
constexpr Nanos kSettle = 3s;      // not among the first packets, which show whether anything passes
constexpr Nanos kConfirm = 30s;
constexpr Nanos kEvery = 6h;
constexpr Nanos kLongestRetry = 1h;

stun::TransactionId transaction(std::uint64_t id, bool other_address, bool other_port) {
  stun::TransactionId t{};
  put_u64(&t[0], id);
  put_u32(&t[8], (other_address ? 2U : 0U) | (other_port ? 1U : 0U));
  return t;
}

}  // namespace

void NatSurvey::set_servers(const Now& now, std::vector<Server> servers) {
  if (servers == servers_) return;
  servers_ = std::move(servers);
  look_again(now);
}

void NatSurvey::set_allowed(const Now& now, bool allowed) {
  if (allowed == allowed_) return;
  allowed_ = allowed;
  if (!allowed) {
    finish(now, std::nullopt);
    failures_ = 0;
  }
  look_again(now);  // whatever was wrong may have changed the NAT
}

void NatSurvey::restart(const Now& now) {
  finish(now, std::nullopt);
  known_ = {};
  candidate_.reset();
  mapped_.reset();
  discovery_server_.reset();
  failures_ = 0;
  next_ = now.mono + kSettle;
}

void NatSurvey::look_again(const Now& now) {
  next_ = std::min(std::max(next_, now.mono), now.mono + kSettle);
  if (ended_) next_ = std::max(next_, *ended_ + kConfirm);
}

bool NatSurvey::due(Instant now) const {
  return allowed_ && !servers_.empty() && phase_ == Phase::idle && now >= next_;
}

std::uint32_t NatSurvey::tries_against_chance() const {
  return std::clamp(path_.losses_needed, kLeastTries, kMostTries);
}

Nanos NatSurvey::spacing() const { return std::max(kSpacing, path_.loss_timeout); }

void NatSurvey::open() {
  flow_ = next_flow_++;
  actions_.emplace_back(Open{flow_});
}

void NatSurvey::close() {
  if (flow_ != 0) actions_.emplace_back(Close{flow_});
  flow_ = 0;
  requests_.clear();
}

void NatSurvey::ask(const Now& now, const Server& server, std::uint32_t tries, bool other_address,
                    bool other_port) {
  Request r;
  r.server = server;
  r.other_address = other_address;
  r.other_port = other_port;
  r.id = random_();
  r.ssid = static_cast<std::uint16_t>(random_() | 1);
  r.tries_left = tries;
  r.next = now.mono;
  requests_.push_back(std::move(r));
}

void NatSurvey::send(const Now& now, Request& r) {
  Bytes packet;
  if (r.server.stun) {
    packet = stun::encode_binding_request(transaction(r.id, r.other_address, r.other_port),
                                          {r.other_address, r.other_port, std::nullopt});
  } else {
    Extras extras;
    extras.naming = extras.location = true;
    packet = build_probe(r.server.identity, r.id, r.ssid, r.sent, now.wall, extras);
  }
  ++r.sent;
  --r.tries_left;
  r.next = now.mono + spacing();
  actions_.emplace_back(Send{flow_, r.server.endpoint, std::move(packet)});
}

void NatSurvey::begin(const Now& now) {
  seen_ = {};
  sightings_.clear();
  local_.reset();
  primary_.reset();
  open();
  phase_ = Phase::mapping;
  for (std::size_t i = 0; i < servers_.size() && i < kMostServers; ++i) ask(now, servers_[i], kTriesOfTest);
}

void NatSurvey::advance(const Now& now, const PathState& path) {
  path_ = path;
  if (due(now.mono)) begin(now);
  if (phase_ == Phase::idle) return;
  // Answers that nobody waits for any more need no further asking.
  if (phase_ == Phase::filtering && answered(true, true)) return judge_filtering(now);
  for (auto& r : requests_) {
    if (r.pending() && r.tries_left > 0 && now.mono >= r.next) send(now, r);
  }
  if (settled(now.mono)) next_phase(now);
}

bool NatSurvey::settled(Instant now) const {
  return std::all_of(requests_.begin(), requests_.end(),
                     [now](const auto& r) { return !r.pending() || (r.tries_left == 0 && now >= r.next); });
}

void NatSurvey::on_datagram(const Now& now, FlowHandle flow, ByteView datagram, const Endpoint& source,
                            const Endpoint& local) {
  if (flow != flow_ || phase_ == Phase::idle) return;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    auto& r = requests_[i];
    if (!r.pending()) continue;
    std::optional<Endpoint> mapped;
    std::optional<Endpoint> other;
    if (r.server.stun) {
      const auto answer =
          stun::parse_binding_response(datagram, transaction(r.id, r.other_address, r.other_port));
      if (!answer) continue;
      if (answer->error) {
        r.refused = true;
        break;
      }
      mapped = answer->mapped;
      other = answer->other_address;
    } else if (source == r.server.endpoint) {
      const auto parsed = parse_reply(datagram, r.server.identity, r.ssid, r.id);
      if (const auto* reply = std::get_if<Reply>(&parsed)) mapped = reply->mapped_endpoint;
    }
    if (!mapped) continue;
    local_ = local;
    note_answer(now, r, *mapped, source, other);
    break;
  }
  advance(now, path_);
}

void NatSurvey::note_answer(const Now& now, Request& r, const Endpoint& mapped, const Endpoint& source,
                            const std::optional<Endpoint>& other) {
  const bool changed = r.other_address || r.other_port;
  // A server that knows nothing of CHANGE-REQUEST answers from where it was asked.
  if (changed && source != alternate(r.other_address, r.other_port).endpoint) {
    r.refused = source == r.server.endpoint;
    return;
  }
  if (!changed && source != r.server.endpoint) return;
  r.mapped = mapped;
  if (phase_ != Phase::mapping || primary_ || !r.server.stun || !other) return;
  const auto& own = r.server.endpoint;
  if (other->address.family() != own.address.family() || other->address == own.address ||
      other->port == own.port)
    return;
  // A server out there does not get us to send into private networks.
  if (is_public(own.address) && !is_public(other->address)) return;
  primary_ = r.server;
  discovery_server_ = own;
  other_ = *other;
  for (const auto& [address, port] : {std::pair{true, false}, std::pair{true, true}, std::pair{false, true}})
    ask(now, alternate(address, port), kTriesOfTest);  // may move `r`
}

NatSurvey::Server NatSurvey::alternate(bool other_address, bool other_port) const {
  if (!primary_) return {};
  const auto& own = primary_->endpoint;
  return {{other_address ? other_.address : own.address, other_port ? other_.port : own.port}, true, {}};
}

bool NatSurvey::answered(bool other_address, bool other_port) const {
  return std::any_of(requests_.begin(), requests_.end(), [&](const auto& r) {
    return r.other_address == other_address && r.other_port == other_port && r.mapped;
  });
}

void NatSurvey::next_phase(const Now& now) {
  switch (phase_) {
    case Phase::idle:
      return;
    case Phase::mapping: {
      for (const auto& r : requests_) {
        if (r.mapped) sightings_.push_back({r.server.endpoint, *r.mapped});
      }
      if (sightings_.empty()) return finish(now, std::nullopt);
      // Whoever was seen first is asked once more: a NAT that moves in the midst shows nothing of its rule.
      const auto first =
          std::find_if(requests_.begin(), requests_.end(), [](const auto& r) { return r.mapped; });
      const auto server = first->server;
      requests_.clear();
      ask(now, server, kTriesOfTest);
      phase_ = Phase::recheck;
      break;
    }
    case Phase::recheck:
      return conclude_mapping(now);
    case Phase::greeting:
      if (!answered(false, false)) return finish(now, seen_);
      requests_.clear();
      ask(now, *primary_, tries_against_chance(), true, true);
      ask(now, *primary_, tries_against_chance(), false, true);
      phase_ = Phase::filtering;
      break;
    case Phase::filtering:
      return judge_filtering(now);
    case Phase::opening:
      requests_.clear();
      ask(now, *primary_, tries_against_chance(), true, true);
      if (seen_.filtering == Filtering::address_and_port_dependent)
        ask(now, *primary_, tries_against_chance(), false, true);
      phase_ = Phase::control;
      break;
    case Phase::control:
      return judge_control(now);
  }
  advance(now, path_);
}

void NatSurvey::conclude_mapping(const Now& now) {
  if (!requests_.front().mapped) return finish(now, std::nullopt);
  mapped_ = requests_.front().mapped;
  const bool stable = *mapped_ == sightings_.front().mapped;
  seen_.mapping = stable ? classify_mapping(sightings_, *local_) : Mapping::per_packet;
  const bool other_lives =
      stable && primary_ && std::any_of(sightings_.begin(), sightings_.end(), [&](const auto& s) {
        return s.target == alternate(true, true).endpoint;
      });
  if (!other_lives) return finish(now, seen_);
  // Its own fresh port: what was sent to the other address would have opened the filter.
  close();
  open();
  ask(now, *primary_, kTriesOfTest);
  phase_ = Phase::greeting;
  advance(now, path_);
}

void NatSurvey::judge_filtering(const Now& now) {
  if (answered(true, true)) {
    seen_.filtering = Filtering::endpoint_independent;
    return finish(now, seen_);
  }
  const bool honoured =
      std::none_of(requests_.begin(), requests_.end(), [](const auto& r) { return r.refused; });
  if (!honoured) return finish(now, seen_);
  seen_.filtering =
      answered(false, true) ? Filtering::address_dependent : Filtering::address_and_port_dependent;
  // The same answers must pass once the way is open. Where each destination has a mapping of its own they
  // could not: there only the way itself is looked at. Another fresh port, because a router that owns its
  // outer address remembers what it did not let in, and moves a flow that is then opened towards it.
  const bool one_mapping = seen_.mapping == Mapping::endpoint_independent || seen_.mapping == Mapping::none;
  if (one_mapping) {
    close();
    open();
  }
  requests_.clear();
  ask(now, *primary_, kTriesOfTest);
  if (one_mapping) {
    ask(now, alternate(true, true), kTriesOfTest);
    if (seen_.filtering == Filtering::address_and_port_dependent)
      ask(now, alternate(false, true), kTriesOfTest);
  }
  phase_ = one_mapping ? Phase::opening : Phase::control;
  advance(now, path_);
}

void NatSurvey::judge_control(const Now& now) {
  const bool passes = std::all_of(requests_.begin(), requests_.end(), [](const auto& r) { return r.mapped; });
  if (!passes) seen_.filtering = Filtering::unknown;
  finish(now, seen_);
}

void NatSurvey::finish(const Now& now, std::optional<Behaviour> found) {
  if (phase_ == Phase::idle) return;
  close();
  phase_ = Phase::idle;
  ended_ = now.mono;
  if (!found || *found == Behaviour{}) {
    // Nothing to be seen, or nothing to see it with: asked again, ever more seldom.
    const auto pause = std::min<Nanos>(kLongestRetry, kConfirm * (1LL << std::min(failures_++, 7U)));
    next_ = now.mono + pause;
    return;
  }
  failures_ = 0;
  const bool confirmed = candidate_ == found;
  candidate_ = found;
  // One survey is enough where nothing is known, but not for what a single re-binding looks like, too.
  if (confirmed || (known_ == Behaviour{} && found->mapping != Mapping::per_packet)) known_ = *found;
  next_ = now.mono + (confirmed ? kEvery : kConfirm) +
          Nanos(static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(Nanos(10s).count())));
}

}  // namespace ue::probe
