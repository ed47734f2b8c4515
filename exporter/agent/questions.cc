#include "agent/questions.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "agent/stun_client.h"
#include "stamp/query.h"

namespace ue::agent {

namespace {

constexpr Nanos kAskTimeout = std::chrono::seconds(4);  // three SYNs

}  // namespace

metrics::Histogram latency_histogram() {
  metrics::Histogram h;
  h.bounds.assign(probe::Rtt::kBounds.begin(), probe::Rtt::kBounds.end());
  h.counts.assign(h.bounds.size() + 1, 0);
  return h;
}

Questions::Questions(boost::asio::io_context& loop, config::Protocol protocol,
                     std::optional<probe::Identity> identity, std::function<std::vector<Detour>()> detours,
                     Told told)
    : loop_(loop),
      protocol_(protocol),
      identity_(std::move(identity)),
      detours_(std::move(detours)),
      told_(std::move(told)),
      connect_times_(latency_histogram()) {}

void Questions::open(const uplink::Binding& through, const Endpoint& reflector) {
  ++generation_;
  own_way_ = Detour{through, reflector};
}

void Questions::close() {
  ++generation_;
  own_way_.reset();
}

/// Many servers have no TCP, and one that never answered over it does not show that TCP is broken.
void Questions::ask_stun_server() {
  fault_ = "a STUN server cannot say what it received";
  const auto asked = read_clocks().mono;
  ask_stun_over_tcp(loop_, own_way_->through, own_way_->reflector, kAskTimeout,
                    [weak = weak_from_this(), asked, generation = generation_](const QueryResult& result) {
                      const auto self = weak.lock();
                      if (self && generation == self->generation_) self->on_stun_result(asked, result);
                    });
}

void Questions::on_stun_result(Instant asked, const QueryResult& result) {
  count_connect(result);
  const bool answered = result.error.empty();
  const auto now = read_clocks();
  stun_over_tcp_ = stun_over_tcp_ || answered;
  if (answered) last_answer_ = now.mono;
  told_(now, {asked, answered, std::nullopt, stun_over_tcp_});
}

void Questions::ask(const probe::AskReflector& ask) {
  if (!own_way_) return;
  if (protocol_ == config::Protocol::stun) {
    // It may fail at once, and this very call may come from the prober's actions.
    boost::asio::post(loop_, [weak = weak_from_this(), generation = generation_] {
      const auto self = weak.lock();
      if (self && generation == self->generation_) self->ask_stun_server();
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
  try_question(question, *own_way_);
}

void Questions::try_question(std::shared_ptr<Question> question, const Detour& way) {
  post_query(loop_, way.through, way.reflector, question->body, question->authentication, kAskTimeout,
             [weak = weak_from_this(), question, generation = generation_](const QueryResult& result) {
               const auto self = weak.lock();
               if (self && generation == self->generation_) self->on_result(question, result);
             });
}

void Questions::on_result(const std::shared_ptr<Question>& question, const QueryResult& result) {
  const auto now = read_clocks();
  if (question->own) count_connect(result);
  const auto answer = verified(*question, result);
  if (result.refused) refusal_ = {now.mono, "it refuses with a TCP reset"};
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
  told_(now, probe::AskOutcome{question->asked, question->own && answer.has_value(), answer});
}

void Questions::count_connect(const QueryResult& result) {
  ++connects_;
  if (!result.connected) {
    ++connect_failures_;
    return;
  }
  const double s = to_seconds(result.connect_time);
  const auto bucket = std::lower_bound(connect_times_.bounds.begin(), connect_times_.bounds.end(), s);
  ++connect_times_.counts[static_cast<std::size_t>(bucket - connect_times_.bounds.begin())];
  connect_times_.sum += s;
}

std::optional<stamp::QueryAnswer> Questions::verified(const Question& question, const QueryResult& result) {
  fault_ = result.error;
  if (!result.error.empty()) return std::nullopt;
  if (identity_ && !stamp::verify_answer(result.body, result.authentication, identity_->secret)) {
    fault_ =
        "the answer over TCP is not signed with our key: a portal or proxy answers in the reflector's place";
    return std::nullopt;
  }
  const auto answer = stamp::parse_answer(result.body);
  if (!answer) {
    fault_ = "the answer over TCP makes no sense: " + answer.error();
    return std::nullopt;
  }
  if (answer->nonce != question.nonce) {
    fault_ = "the answer over TCP belongs to another question";
    return std::nullopt;
  }
  return *answer;
}

}  // namespace ue::agent
