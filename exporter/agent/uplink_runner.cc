#include "agent/uplink_runner.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/trail.h"
#include "base/log.h"
#include "verdict/sentence.h"

namespace ue::agent {

namespace {

using namespace std::chrono_literals;

constexpr Nanos kRedial = 10s;       // a link that is back within this was re-dialled, not down
constexpr Nanos kProofValid = 45s;   // longer than the pause between two questions
constexpr Nanos kAnswerValid = 75s;  // two questions
constexpr Nanos kReplyValid = 3s;
constexpr Nanos kWitnessEager = 20s;  // of silence, then they are asked less often
constexpr Nanos kWitnessPause = 10s;
constexpr Nanos kStrangersInterval = 5s;  // as WebRTC clients ask the public STUN servers for years

/// The tunnel's own reflector where we have its key, else the first whose key we have: only they hold
/// replies.
std::string measures_lifetime(const std::vector<ReflectorTarget>& reflectors, const std::string& preferred) {
  std::string first;
  for (const auto& r : reflectors) {
    if (!r.identity) continue;
    if (r.config.name == preferred) return preferred;
    if (first.empty()) first = r.config.name;
  }
  return first;
}

/// Flows that a ladder may have open beside so many paths, where 20 are open on an uplink at most: one that
/// is looked into has up to eight, and one of a size check.
std::size_t rungs_beside(std::size_t paths) {
  return std::max<std::size_t>(20 - std::min<std::size_t>(9 * paths, 16), 4);
}

}  // namespace

UplinkRunner::UplinkRunner(boost::asio::io_context& loop, config::Uplink uplink,
                           const std::vector<ReflectorTarget>& reflectors, const config::Config& config,
                           Mode mode, uplink::ProbeRoutes& routes, DetourSource detours)
    : loop_(loop), uplink_(std::move(uplink)), routes_(routes), nat_(loop, uplink_.name, mode) {
  // Ports come at leisure, except where there is one minute in all.
  const Nanos pace = mode == Mode::one_shot ? Nanos(100ms) : probe::HoldLadder::Settings::kPerPort;
  for (const auto& tunnel : config.openvpn) {
    if (preferred_.empty()) preferred_ = tunnel.reflector;
  }
  for (const auto& reflector : reflectors) {
    probe::Settings settings;
    settings.interval = reflector.config.built_in ? std::max(config.probe.interval, kStrangersInterval)
                                                  : config.probe.interval;
    settings.fresh_interval = config.probe.fresh_interval;
    settings.loss_threshold = config.probe.loss_threshold;
    settings.identity = reflector.identity;
    settings.stun = reflector.config.protocol == config::Protocol::stun;
    // A lifetime is the NAT's, not the reflector's: one ladder an uplink, so that its flows stay few.
    std::optional<probe::HoldLadder::Settings> ladder;
    if (!config.probe.holds.empty() && reflector.config.name == measures_lifetime(reflectors, preferred_))
      ladder = {config.probe.holds,
                config.probe.ladder_interval,
                *reflector.identity,
                rungs_beside(reflectors.size()),
                pace,
                false,
                mode == Mode::one_shot};
    // Without a reflector of ours a STUN server may do; NatWatch lets only one begin.
    if (!config.probe.holds.empty() && settings.stun && measures_lifetime(reflectors, preferred_).empty())
      ladder = {config.probe.holds,
                config.probe.ladder_interval,
                probe::Identity{},
                rungs_beside(reflectors.size()),
                pace,
                true,
                mode == Mode::one_shot};
    auto path =
        std::make_shared<Path>(loop, uplink_.name, reflector.config, mode, settings, std::move(ladder),
                               [detours, name = reflector.config.name] { return detours(name); });
    paths_.push_back(path);
    targets_.push_back(Target{path, nullptr, std::nullopt});
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    targets_[i].resolver = std::make_unique<Resolver>(loop, reflectors[i].config.address, uplink_.family,
                                                      [this, i](const Endpoint& e) {
                                                        targets_[i].endpoint = e;
                                                        bind_paths();
                                                      });
    targets_[i].resolver->start();
  }
  for (const auto& server : config.witnesses) {
    witnesses_.push_back(std::make_unique<Witness>(loop, server, uplink_.family));
  }
  verdict::Evidence nothing;
  nothing.figures.uplink = uplink_.name;
  conclusion_.why = verdict::explain(verdict::Verdict::unknown, nothing);
}

UplinkRunner::~UplinkRunner() {
  for (const auto& path : paths_) path->stop();
  routes_.remove(uplink_.name);
}

uplink::Binding UplinkRunner::binding() const {
  return uplink::Binding{uplink_.interface, uplink_.family, uplink_.fwmark, state_.source};
}

void UplinkRunner::update_link(const Now& now, const uplink::Inventory& inventory) {
  state_ = uplink::resolve(uplink_, inventory);
  history_.update(inventory.find(uplink_.interface), state_.source);
  preflight_.tables_changed();
  if (state_.usable()) ensure_routes();
  if (link_up()) {
    if (fault_since_) {
      log::info("UPLINK_BACK", "{} ({}) is usable again", uplink_.name, uplink_.interface);
      for (const auto& path : paths_) path->forgive_send_fault();
    }
    fault_since_.reset();
    bind_paths();
    return;
  }
  if (!fault_since_) {
    fault_since_ = now.mono;
    log::warn("UPLINK_FAULT", "{} cannot be probed: {}", uplink_.name, link_fault());
  }
}

void UplinkRunner::ensure_routes() {
  std::vector<IpAddress> addresses;
  for (const auto& target : targets_) {
    if (target.endpoint) addresses.push_back(target.endpoint->address);
  }
  for (const auto& witness : witnesses_) {
    if (witness->endpoint()) addresses.push_back(witness->endpoint()->address);
  }
  const auto ensured = routes_.ensure(uplink_, state_, addresses);
  route_fault_ = ensured ? "" : ensured.error();
}

void UplinkRunner::bind_paths() {
  if (!state_.present || !state_.usable()) return;
  const bool rebind = !bound_ || !uplink::same_binding(*bound_, state_);
  bool any = false;
  for (auto& target : targets_) {
    if (!target.endpoint) continue;
    if (target.path->running() && !rebind && target.path->endpoint() == target.endpoint) continue;
    if (!any) ensure_routes();
    any = true;
    if (!route_fault_.empty()) return;
    target.path->bind(binding(), *target.endpoint);
  }
  if (rebind) {
    for (const auto& witness : witnesses_) witness->bind(binding());
    nat_.bind(binding());
    log::info("UPLINK_BOUND", "{} probes from {} on {}", uplink_.name,
              state_.source ? state_.source->to_string() : "any", uplink_.interface);
  }
  bound_ = state_;
}

void UplinkRunner::rebuild() {
  for (const auto& path : paths_) path->rebuild();
}

std::optional<Detour> UplinkRunner::way_to(const std::string& reflector) const {
  if (!link_up()) return std::nullopt;
  for (const auto& target : targets_) {
    if (target.path->reflector() == reflector && target.endpoint) return Detour{binding(), *target.endpoint};
  }
  return std::nullopt;
}

std::optional<Instant> UplinkRunner::silent_since(const Path& path, Instant now) const {
  if (!path.running()) return std::nullopt;
  const auto o = path.observe(now);
  if (o.steady != false || o.tcp != false || !o.silent_since) return std::nullopt;
  if (o.last_reply && now - *o.last_reply < kReplyValid) return std::nullopt;
  const auto answer = path.questions().last_answer();
  if (answer && *answer > *o.silent_since && now - *answer < kAnswerValid) return std::nullopt;
  return o.silent_since;
}

bool UplinkRunner::settled(Instant now) const {
  using verdict::Verdict;
  if (conclusion_.verdict == Verdict::unknown || conclusion_.verdict == Verdict::return_lost) return false;
  const auto works = [](const auto& path) { return path->working(); };
  if (std::any_of(paths_.begin(), paths_.end(), works) && !nat_.settled(now)) return false;
  return std::all_of(paths_.begin(), paths_.end(),
                     [now](const auto& path) { return !path->running() || path->settled(now); });
}

void UplinkRunner::ask_witnesses(Instant now) {
  for (const auto& path : paths_) {
    if (!path->running()) continue;
    const auto o = path->observe(now);
    if (o.losses_in_a_row < 3 || !o.silent_since) continue;
    const bool eager = now - *o.silent_since < kWitnessEager;
    for (const auto& witness : witnesses_) {
      if (eager || !witness->asked() || now - *witness->asked() > kWitnessPause) witness->ask(now);
    }
    return;
  }
}

std::string UplinkRunner::witness_proof(Instant since) const {
  for (const auto& witness : witnesses_) {
    if (witness->answered() && *witness->answered() > since) {
      return fmt::format("witness {} answers through {}", witness->name(), uplink_.name);
    }
  }
  return {};
}

/// TCP belongs to the uplink: where UDP is dead towards one server and TCP is not, it is so towards all.
std::optional<PathContext::Beside> UplinkRunner::tcp_beside(const Path& path, Instant now) const {
  std::optional<PathContext::Beside> beside;
  for (const auto& other : paths_) {
    if (other.get() == &path || !other->running()) continue;
    const auto o = other->observe(now);
    if (o.steady != false || !o.tcp) continue;
    if (!beside || *o.tcp) beside = {other->reflector(), *o.tcp, o.attributable != false};
  }
  return beside;
}

/// What this machine's own connection tracker has to do with it.
void UplinkRunner::note_tracker(const Surroundings& around, PathContext& context) {
  // Lifetimes that were measured under other time-outs may have been the tracker's own.
  if (tracker_ && around.tracker && tracker_ != around.tracker) rebuild();
  tracker_ = around.tracker;
  tracker_checks_.clear();
  if (tracker_) {
    tracker_checks_ = {{"conntrack_room", true}, {"conntrack_timeout", true}};
    context.tracker_timeout = tracker_->stream;
  }
  for (const auto& fault : around.tracker_faults) {
    tracker_checks_[fault.check] = false;
    (fault.check == "conntrack_room" ? context.tracker_full : context.tracker_short) = fault.sentence;
  }
  context.bystanders = around.bystanders.answered + around.bystanders.unreplied;
  context.bystanders_unreplied = around.bystanders.unreplied;
}

void UplinkRunner::add_targets(std::set<Endpoint>& own) const {
  for (const auto& target : targets_) {
    if (target.endpoint) own.insert(*target.endpoint);
  }
  for (const auto& witness : witnesses_) {
    if (witness->endpoint()) own.insert(*witness->endpoint());
  }
}

bool UplinkRunner::judge(const Now& now, const std::function<Surroundings(const std::string&)>& around) {
  const bool down_for_good = fault_since_ && now.mono - *fault_since_ > kRedial;
  if (down_for_good && bound_) {
    for (const auto& path : paths_) path->stop();
    bound_.reset();
  }
  ask_witnesses(now.mono);
  preflight_.look(now, uplink_, state_, paths_);
  std::vector<verdict::PathOpinion> opinions;
  for (const auto& path : paths_) {
    const auto surroundings = around(path->reflector());
    PathContext context;
    context.uplink = uplink_.name;
    context.reflector = path->reflector();
    context.link_up = link_up();
    context.link_settled = down_for_good;
    context.link_fault = link_fault();
    context.local_fault = preflight_.fault(path->reflector());
    note_tracker(surroundings, context);
    context.silent_everywhere = surroundings.silent_everywhere;
    context.proof = surroundings.refusal;
    context.every_uplink_silent = surroundings.every_uplink_silent;
    context.witness_configured = has_witness();
    context.answered_via_other_uplink = path->questions().answered_via_other();
    context.query_fault = path->questions().fault();
    context.complaint = path->icmp().complaint(now.mono);
    context.stream = path->stream_lifetime();
    context.size = path->size_check().passes();
    context.tunnel_size = path->size_check().size();
    context.passing_payload = path->size_check().passing_payload();
    context.keepalive = surroundings.keepalive;
    context.trail = make_trail(path->localiser().findings(), uplink_.family);
    context.trail.own = state_.source;
    context.trail.other = surroundings.other_way;
    context.trail.answered_elsewhere = surroundings.answered_elsewhere;
    if (path->tells_nothing_else()) context.beside = tcp_beside(*path, now.mono);
    if (const auto silent = silent_since(*path, now.mono); silent && context.proof.empty()) {
      context.proof = witness_proof(std::max(*silent, now.mono - kProofValid));
    }
    const auto before = path->conclusion().verdict;
    if (path->judge(now, make_evidence(path->observe(now.mono), context))) {
      log::info("PATH_VERDICT", "{} to {}: {} -> {}: {}", uplink_.name, path->reflector(),
                verdict::name(before), verdict::name(path->conclusion().verdict), path->conclusion().why);
    }
    opinions.push_back({path->reflector(), path->conclusion(), path->size_check().passes() == true});
  }
  nat_.tick(now, paths_, witnesses_);
  verdict::Conclusion alone = conclusion_;
  if (opinions.empty()) {
    verdict::Evidence link;
    link.facts.link = link_up()       ? verdict::Tri::yes
                      : down_for_good ? verdict::Tri::no
                                      : verdict::Tri::unknown;
    link.figures.uplink = uplink_.name;
    link.figures.link_fault = link_fault();
    alone.verdict = link.facts.link == verdict::Tri::no ? verdict::Verdict::down : verdict::Verdict::unknown;
    alone.why = verdict::explain(alone.verdict, link);
    alone.scope = verdict::Scope::unknown;
    alone.where.clear();
  }
  auto next = verdict::combine(opinions, preferred_, alone);
  const bool changed = next.verdict != conclusion_.verdict;
  if (changed) {
    log::info("UPLINK_VERDICT", "{}: {} -> {}: {}", uplink_.name, verdict::name(conclusion_.verdict),
              verdict::name(next.verdict), next.why);
    ++changes_;
    last_change_ = to_unix_seconds(now.wall);
  }
  if (next.scope != conclusion_.scope && next.scope != verdict::Scope::unknown)
    log::info("UPLINK_SCOPE", "{}: {}: {}", uplink_.name, verdict::scope_name(next.scope), next.why);
  conclusion_ = std::move(next);
  return changed;
}

}  // namespace ue::agent
