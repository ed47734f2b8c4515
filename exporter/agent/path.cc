#include "agent/path.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>

#include "agent/path_evidence.h"
#include "agent/stun_client.h"
#include "base/log.h"
#include "stamp/query.h"

namespace ue::agent {

namespace {

constexpr Nanos kAskTimeout = std::chrono::seconds(4);  // three SYNs
constexpr Nanos kComplaintValid = std::chrono::seconds(30);
constexpr std::size_t kRememberedSends = 16;

std::chrono::steady_clock::time_point to_steady(Instant t) {
  return std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(t.time_since_epoch()));
}

/// Once a minute, or with every 60th steady probe where these are rare.
probe::SizeCheck::Settings size_settings(const probe::Settings& s) {
  return {std::max<Nanos>(std::chrono::minutes(1), 60 * s.interval), s.identity};
}

}  // namespace

Path::Path(boost::asio::io_context& loop, std::string uplink, const config::Reflector& reflector,
           probe::Settings settings, std::optional<probe::HoldLadder::Settings> ladder,
           std::function<std::vector<Detour>()> detours)
    : loop_(loop),
      uplink_(std::move(uplink)),
      reflector_(reflector),
      identity_(settings.identity),
      detours_(std::move(detours)),
      size_(size_settings(settings), random_u64),
      prober_(std::move(settings), random_u64),
      timer_(loop),
      tcp_connect_(empty_histogram()) {
  if (ladder) ladder_.emplace(std::move(*ladder), random_u64);
}

Path::~Path() { timer_.cancel(); }

void Path::bind(const uplink::Binding& binding, const Endpoint& reflector) {
  binding_ = binding;
  endpoint_ = reflector;
  restart();
}

void Path::rebuild() {
  if (binding_) restart();
}

void Path::restart() {
  ++generation_;
  const auto now = read_clocks();
  prober_.restart(now);
  if (ladder_) ladder_->restart(now);
  size_.restart(now, binding_->family);
  run_actions();
}

void Path::stop() {
  if (!binding_) return;
  ++generation_;
  const auto now = read_clocks();
  prober_.stop(now);
  if (ladder_) ladder_->set_allowed(now, false);
  size_.set_allowed(now, false);
  run_actions();
  flows_.clear();
  binding_.reset();
  timer_.cancel();
}

void Path::run_actions() {
  for (auto actions = prober_.take_actions(); !actions.empty(); actions = prober_.take_actions())
    run(std::move(actions));
  if (ladder_) run(ladder_->take_actions());
  run(size_.take_actions());
  arm_timer();
}

void Path::run(std::vector<probe::Action> actions) {
  for (auto& action : actions) {
    if (const auto* o = std::get_if<probe::OpenFlow>(&action)) open_flow(*o);
    if (const auto* c = std::get_if<probe::CloseFlow>(&action)) flows_.erase(c->flow);
    if (const auto* s = std::get_if<probe::SendProbe>(&action)) send_probe(*s);
    if (const auto* a = std::get_if<probe::AskReflector>(&action)) ask(*a);
  }
}

void Path::advance(const Now& now) {
  prober_.advance(now);
  const probe::PathState state{prober_.rtt().loss_timeout(), prober_.observe(now.mono).losses_needed,
                               prober_.instance_id()};
  if (ladder_) ladder_->advance(now, state);
  size_.advance(now, state);
}

void Path::arm_timer() {
  const auto at =
      std::min({prober_.wake_at(), size_.wake_at(), ladder_ ? ladder_->wake_at() : Instant::max()});
  if (at == Instant::max()) return;
  timer_.expires_at(to_steady(at));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    self->advance(read_clocks());
    self->run_actions();
  });
}

void Path::open_flow(const probe::OpenFlow& flow) {
  const auto handle = flow.flow;
  auto socket = uplink::UdpSocket::open(*binding_, {flow.dont_fragment});
  if (!socket) {
    if (send_fault_.empty())
      log::warn("PROBE_SOCKET", "{} to {}: {}", uplink_, reflector_.name, socket.error());
    send_fault_ = socket.error();
    return;
  }
  FlowSocket::Handlers handlers;
  handlers.datagram = [this, handle](const uplink::Datagram& d) {
    const bool genuine = d.source == *endpoint_;
    ++datagrams_received_;
    if (probe::HoldLadder::owns(handle)) {
      ladder_->on_datagram(read_clocks(), handle, d.bytes, genuine);
    } else if (probe::SizeCheck::owns(handle)) {
      size_.on_datagram(read_clocks(), handle, d.bytes, genuine);
    } else {
      prober_.on_datagram(read_clocks(), handle, d.bytes, genuine, d.received);
    }
    run_actions_soon();
  };
  handlers.error = [this, handle](const uplink::SocketError& e) { on_error(handle, e); };
  flows_[handle].socket = std::make_unique<FlowSocket>(loop_, std::move(*socket), std::move(handlers));
}

/// Closing a socket from its own handler is left to the loop.
void Path::run_actions_soon() {
  boost::asio::post(loop_, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->run_actions();
  });
}

void Path::send_probe(const probe::SendProbe& probe) {
  const auto f = flows_.find(probe.flow);
  if (f == flows_.end()) return;
  const auto sent = f->second.socket->socket().send(probe.packet, *endpoint_);
  // One too big for the interface says so in the error queue.
  if (probe::SizeCheck::owns(probe.flow)) return;
  if (!sent) {
    if (send_fault_.empty())
      log::warn("PROBE_NOT_SENT", "{} to {}: {}", uplink_, reflector_.name, sent.error());
    if (!send_fault_since_) send_fault_since_ = read_clocks().mono;
    send_fault_ = sent.error();
    return;
  }
  send_fault_.clear();
  send_fault_since_.reset();
  auto& remembered = f->second.sent;
  remembered.emplace_back(sent->id, probe.sequence);
  if (remembered.size() > kRememberedSends) remembered.pop_front();
}

void Path::on_error(probe::FlowHandle handle, const uplink::SocketError& error) {
  const auto f = flows_.find(handle);
  if (f == flows_.end()) return;
  if (const auto* tx = std::get_if<uplink::TxTimestamp>(&error)) {
    for (const auto& [id, sequence] : f->second.sent) {
      if (id == tx->id) prober_.on_transmitted(handle, sequence, tx->time);
    }
  } else if (const auto* local = std::get_if<uplink::LocalError>(&error)) {
    if (local->code == EMSGSIZE) note_too_big(handle, local->mtu);
  } else if (const auto* icmp = std::get_if<uplink::IcmpError>(&error)) {
    const auto kind = uplink::icmp_name(*icmp);
    if (kind == "fragmentation-needed") note_too_big(handle, icmp->mtu);
    ++icmp_errors_[std::string(kind)];
    if (kind != "fragmentation-needed" && kind != "time-exceeded") {
      complaint_ = fmt::format("{} refuses them with ICMP {}", icmp->offender.to_string(), kind);
      complained_ = read_clocks().mono;
    }
    if (kind == "port-unreachable" && icmp->from_destination) {
      refused_at_ = read_clocks().mono;
      refusal_ = "it refuses with ICMP port unreachable from its own address";
    }
  }
}

void Path::note_too_big(probe::FlowHandle handle, std::uint32_t mtu) {
  size_.on_too_big(read_clocks(), handle, mtu);
  run_actions_soon();
}

std::string Path::complaint(Instant now) const {
  return now - complained_ < kComplaintValid ? complaint_ : "";
}

bool Path::has_port(std::uint16_t port) const {
  return std::any_of(flows_.begin(), flows_.end(),
                     [port](const auto& f) { return f.second.socket->socket().local().port == port; });
}

/// Many servers have no TCP, and one that never answered over it does not show that TCP is broken.
void Path::ask_stun_server() {
  query_fault_ = "a STUN server cannot say what it received";
  const auto asked = read_clocks().mono;
  ask_stun_over_tcp(loop_, *binding_, *endpoint_, kAskTimeout,
                    [weak = weak_from_this(), asked, generation = generation_](const QueryResult& result) {
                      const auto self = weak.lock();
                      if (!self || !self->binding_ || generation != self->generation_) return;
                      self->count_connect(result);
                      const bool answered = result.error.empty();
                      const auto now = read_clocks();
                      self->stun_over_tcp_ = self->stun_over_tcp_ || answered;
                      if (answered) self->last_answer_ = now.mono;
                      self->prober_.on_asked(now, {asked, answered, std::nullopt, self->stun_over_tcp_});
                      self->run_actions();
                    });
}

void Path::ask(const probe::AskReflector& ask) {
  if (reflector_.protocol == config::Protocol::stun) {
    // It may fail at once, and this very call may come from the prober's actions.
    boost::asio::post(loop_, [weak = weak_from_this()] {
      if (const auto self = weak.lock(); self && self->binding_) self->ask_stun_server();
    });
    return;
  }
  auto question = std::make_shared<Question>();
  stamp::QueryRequest request;
  random_fill(request.nonce);
  request.flows = ask.flow_ids;
  if (identity_) {
    request.key_id = identity_->key_id;
    request.gateway_id = identity_->gateway_id;
  }
  question->asked = read_clocks().mono;
  question->nonce = request.nonce;
  question->body = stamp::encode(request);
  if (identity_) question->authentication = stamp::sign_request(question->body, identity_->secret);
  question->left = detours_();
  try_question(question, Detour{*binding_, *endpoint_});
}

void Path::try_question(std::shared_ptr<Question> question, const Detour& way) {
  post_query(loop_, way.through, way.reflector, question->body, question->authentication, kAskTimeout,
             [weak = weak_from_this(), question, generation = generation_](const QueryResult& result) {
               const auto self = weak.lock();
               // What was asked before the sockets were rebuilt says nothing about the new ones.
               if (!self || !self->binding_ || generation != self->generation_) return;
               self->on_result(question, result);
             });
}

void Path::on_result(const std::shared_ptr<Question>& question, const QueryResult& result) {
  const auto now = read_clocks();
  if (question->own) count_connect(result);
  const auto answer = verified(*question, result);
  if (result.refused) {
    refused_at_ = now.mono;
    refusal_ = "it refuses with a TCP reset";
  }
  if (!answer && !question->left.empty()) {
    const auto next = question->left.front();
    question->left.erase(question->left.begin());
    question->own = false;
    try_question(question, next);
    return;
  }
  if (answer) {
    last_answer_ = now.mono;
    answered_via_other_ = !question->own;
  }
  prober_.on_asked(now, probe::AskOutcome{question->asked, question->own && answer.has_value(), answer});
  run_actions();
}

void Path::count_connect(const QueryResult& result) {
  ++tcp_connects_;
  if (!result.connected) {
    ++tcp_connect_failures_;
    return;
  }
  const double s = to_seconds(result.connect_time);
  const auto bucket = std::lower_bound(tcp_connect_.bounds.begin(), tcp_connect_.bounds.end(), s);
  ++tcp_connect_.counts[static_cast<std::size_t>(bucket - tcp_connect_.bounds.begin())];
  tcp_connect_.sum += s;
}

std::optional<stamp::QueryAnswer> Path::verified(const Question& question, const QueryResult& result) {
  query_fault_ = result.error;
  if (!result.error.empty()) return std::nullopt;
  if (identity_ && !stamp::verify_answer(result.body, result.authentication, identity_->secret)) {
    query_fault_ =
        "the answer over TCP is not signed with our key: a portal or proxy answers in the reflector's place";
    return std::nullopt;
  }
  const auto answer = stamp::parse_answer(result.body);
  if (!answer) {
    query_fault_ = "the answer over TCP makes no sense: " + answer.error();
    return std::nullopt;
  }
  if (answer->nonce != question.nonce) {
    query_fault_ = "the answer over TCP belongs to another question";
    return std::nullopt;
  }
  return *answer;
}

bool Path::judge(const Now& now, const verdict::Evidence& evidence) {
  const bool changed = judge_.update(now.mono, evidence, prober_.observe(now.mono).recovered);
  const auto standing = standing_for(conclusion().verdict);
  prober_.set_standing(now, standing);
  // Only while replies come back does a missing one say something about the silence before it.
  const bool working =
      running() && standing == probe::Standing::fine && evidence.facts.steady == verdict::Tri::yes;
  if (ladder_) ladder_->set_allowed(now, working);
  size_.set_allowed(now, working && reflector_.protocol == config::Protocol::stamp);
  run_actions();
  return changed;
}

std::optional<probe::MappingLifetime::Bracket> Path::stream_lifetime() const {
  return ladder_ ? ladder_->lifetime(probe::Pattern::stream).bracket() : std::nullopt;
}

}  // namespace ue::agent
