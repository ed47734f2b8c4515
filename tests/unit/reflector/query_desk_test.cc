#include "reflector/query_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sender.h"

namespace ue::reflector {
namespace {

const IpAddress kPeer = *IpAddress::parse("192.0.2.9");

struct OneCore : Cores {
  ReflectorCore& core;
  explicit OneCore(ReflectorCore& c) : core(c) {}
  std::size_t count() const override { return 1; }
  void with(std::size_t, const std::function<void(ReflectorCore&)>& use) override { use(core); }
};

struct Desk {
  Rig rig;
  OneCore cores;
  QueryDesk desk;
  explicit Desk(Policy policy) : rig(std::move(policy)), cores(rig.core), desk(cores) {}

  static std::string body(const std::optional<config::Key>& key, std::vector<std::uint64_t> flows) {
    stamp::QueryRequest request;
    if (key) {
      request.key_id = key->key_id;
      request.gateway_id = key->gateway_id;
    }
    request.nonce.fill(0x5a);
    request.flows = std::move(flows);
    return stamp::encode(request);
  }
  QueryReply ask(const std::optional<config::Key>& key, std::vector<std::uint64_t> flows) {
    const auto text = body(key, std::move(flows));
    return desk.answer(rig.now, text, key ? stamp::sign_request(text, key->secret) : "", kPeer);
  }
  std::vector<bool> known(const QueryReply& reply) {
    const auto answer = stamp::parse_answer(reply.body);
    std::vector<bool> out;
    if (!answer) return out;
    for (const auto& f : answer->flows) out.push_back(f.known);
    return out;
  }
};

TEST(QueryDesk, AnswersItsOwnersFlowsSigned) {
  Desk d(Rig::keyed({kKey}));
  const Sender sender{kKey, 7, 100};
  d.rig.send(sender, sender.named(0));
  d.rig.send(sender, sender.base(1));
  const auto reply = d.ask(kKey, {100, 101});
  ASSERT_EQ(reply.status, 200U);
  EXPECT_TRUE(stamp::verify_answer(reply.body, reply.authentication, kKey.secret));
  const auto answer = stamp::parse_answer(reply.body);
  ASSERT_TRUE(answer) << answer.error();
  EXPECT_EQ(answer->nonce[0], 0x5a);
  EXPECT_EQ(answer->instance_id, 0xabcdU);
  EXPECT_EQ(answer->boot_epoch, 1'789'000'000U);
  ASSERT_EQ(answer->flows.size(), 2U);
  EXPECT_EQ(answer->flows[0].received, 2U);
  EXPECT_EQ(answer->flows[0].endpoint, sender.source);
  EXPECT_FALSE(answer->flows[1].known);
  EXPECT_EQ(d.desk.count(QueryOutcome::answered), 1U);
}

TEST(QueryDesk, RevealsNothingOfOthers) {
  auto policy = Rig::keyed({kKey, kOther});
  policy.allow_unauthenticated = true;
  Desk d(policy);
  const Sender mine{kKey, 7, 1};
  const Sender theirs{kOther, 7, 2};
  const Sender nobodys{std::nullopt, 7, 3};
  const Sender foreign{std::nullopt, 8, 0, endpoint("192.0.2.55", 99)};
  for (const auto& s : {mine, theirs, nobodys}) ASSERT_TRUE(d.rig.send(s, s.named(0)));
  ASSERT_TRUE(d.rig.send(foreign, foreign.base(0)));
  const std::vector<std::uint64_t> all{0, 1, 2, 3};
  using Known = std::vector<bool>;
  EXPECT_EQ(d.known(d.ask(kKey, all)), (Known{false, true, false, false}));
  EXPECT_EQ(d.known(d.ask(kOther, all)), (Known{false, false, true, false}));
  const auto open = d.ask(std::nullopt, all);
  EXPECT_EQ(d.known(open), (Known{false, false, false, true}));
  EXPECT_TRUE(open.authentication.empty());
}

TEST(QueryDesk, RefusesWhatIsNotSignedRightly) {
  Desk d(Rig::keyed({kKey, kOther}));
  const auto text = Desk::body(kKey, {1});
  const auto status = [&](const std::string& body, const std::string& header) {
    return d.desk.answer(d.rig.now, body, header, kPeer).status;
  };
  EXPECT_EQ(status(text, stamp::sign_request(text, kKey.secret)), 200U);
  EXPECT_EQ(status(text, ""), 401U);
  EXPECT_EQ(status(text, stamp::sign_request(text, kOther.secret)), 401U);
  EXPECT_EQ(status(text, stamp::sign_answer(text, kKey.secret)), 401U);
  EXPECT_EQ(status(Desk::body(std::nullopt, {1}), ""), 401U);
  auto stranger = kKey;
  stranger.key_id = 7;
  const auto reply = d.ask(stranger, {1});
  EXPECT_EQ(reply.status, 401U);
  EXPECT_EQ(reply.body, d.desk.answer(d.rig.now, text, "", kPeer).body);
  EXPECT_EQ(status("{}", ""), 400U);
  EXPECT_EQ(d.desk.count(QueryOutcome::unauthorized), 6U);
  EXPECT_EQ(d.desk.count(QueryOutcome::bad_request), 1U);
}

TEST(QueryDesk, ServesGatewaysOfAMaster) {
  const auto master = master_key(0xb0, 0x77);
  Desk d(Rig::keyed({master}));
  auto derived = gateway_key(0xb0, 42, 0);
  derived.secret = config::derive_gateway_secret(master, 42);
  const Sender sender{derived, 7, 100};
  d.rig.send(sender, sender.named(0));
  EXPECT_EQ(d.known(d.ask(derived, {100})), std::vector<bool>{true});
  auto neighbour = gateway_key(0xb0, 43, 0);
  neighbour.secret = config::derive_gateway_secret(master, 43);
  EXPECT_EQ(d.known(d.ask(neighbour, {100})), std::vector<bool>{false});
}

TEST(QueryDesk, RateIsLimitedPerSource) {
  Desk d(Rig::keyed({kKey}));
  for (int i = 0; i < static_cast<int>(QueryDesk::kBurst); ++i) ASSERT_EQ(d.ask(kKey, {}).status, 200U);
  EXPECT_EQ(d.ask(kKey, {}).status, 429U);
  EXPECT_EQ(d.desk.count(QueryOutcome::rate_limited), 1U);
  d.rig.advance(std::chrono::seconds(1));
  EXPECT_EQ(d.ask(kKey, {}).status, 200U);
}

TEST(QueryDesk, ErrorsAreJson) {
  Desk d(Rig::keyed({kKey}));
  const auto reply = d.desk.answer(d.rig.now, "nonsense", "", kPeer);
  EXPECT_EQ(reply.body, R"({"error":"query: not JSON"})");
}

}  // namespace
}  // namespace ue::reflector
