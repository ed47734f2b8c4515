#include "stamp/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ue::stamp {
namespace {

using testing::HasSubstr;

constexpr const char* kNonce = "000102030405060708090a0b0c0d0e0f";

QueryRequest request() {
  QueryRequest r;
  r.key_id = 0x000000a1;
  r.gateway_id = 0xfeed;
  for (std::size_t i = 0; i < 16; ++i) r.nonce[i] = static_cast<std::uint8_t>(i);
  r.flows = {1, 0xffffffffffffffff};
  return r;
}

QueryAnswer answer() {
  QueryAnswer a;
  a.nonce = request().nonce;
  a.instance_id = 0xabcdef;
  a.boot_epoch = 1'790'000'000;
  FlowReport known;
  known.flow_id = 1;
  known.known = true;
  known.received = 10;
  known.refused = 2;
  known.sent = 8;
  known.highest_sequence = 0xffffffff;
  known.window.set(0).set(5).set(255);
  known.endpoint = Endpoint{*IpAddress::parse("2001:db8::7"), 41234};
  known.ttl = 57;
  known.last_ms_ago = 1234;
  FlowReport unknown;
  unknown.flow_id = 0xffffffffffffffff;
  a.flows = {known, unknown};
  return a;
}

TEST(Query, RequestHasTheDocumentedText) {
  EXPECT_EQ(
      encode(request()),
      R"({"v":1,"key_id":"000000a1","gateway_id":"000000000000feed","nonce":"000102030405060708090a0b0c0d0e0f",)"
      R"("flows":["0000000000000001","ffffffffffffffff"]})");
}

TEST(Query, RequestRoundTrips) {
  const auto back = parse_request(encode(request()));
  ASSERT_TRUE(back) << back.error();
  EXPECT_EQ(back->key_id, 0xa1U);
  EXPECT_EQ(back->gateway_id, 0xfeedU);
  EXPECT_EQ(back->nonce, request().nonce);
  EXPECT_EQ(back->flows, request().flows);
  auto open = request();
  open.key_id.reset();
  open.gateway_id.reset();
  const auto without = parse_request(encode(open));
  ASSERT_TRUE(without);
  EXPECT_FALSE(without->key_id || without->gateway_id);
}

TEST(Query, AnswerHasTheDocumentedText) {
  EXPECT_EQ(
      encode(answer()),
      R"({"v":1,"nonce":"000102030405060708090a0b0c0d0e0f","instance_id":"0000000000abcdef",)"
      R"("boot_epoch":1790000000,"flows":[{"flow_id":"0000000000000001","known":true,"received":10,"refused":2,)"
      R"("sent":8,"highest_sequence":4294967295,)"
      R"("window":"8000000000000000000000000000000000000000000000000000000000000021",)"
      R"("endpoint":"[2001:db8::7]:41234","ttl":57,"last_ms_ago":1234},)"
      R"({"flow_id":"ffffffffffffffff","known":false}]})");
}

TEST(Query, AnswerRoundTrips) {
  const auto back = parse_answer(encode(answer()));
  ASSERT_TRUE(back) << back.error();
  const auto want = answer();
  EXPECT_EQ(back->nonce, want.nonce);
  EXPECT_EQ(back->instance_id, want.instance_id);
  EXPECT_EQ(back->boot_epoch, want.boot_epoch);
  ASSERT_EQ(back->flows.size(), 2U);
  const auto& flow = back->flows[0];
  EXPECT_TRUE(flow.known);
  EXPECT_EQ(flow.received, 10U);
  EXPECT_EQ(flow.refused, 2U);
  EXPECT_EQ(flow.sent, 8U);
  EXPECT_EQ(flow.highest_sequence, 0xffffffff);
  EXPECT_EQ(flow.window, want.flows[0].window);
  EXPECT_EQ(flow.endpoint, want.flows[0].endpoint);
  EXPECT_EQ(flow.ttl, 57);
  EXPECT_EQ(flow.last_ms_ago, 1234U);
  EXPECT_FALSE(back->flows[1].known);
}

TEST(Query, AnAnswerTellsOfTheNewestIcmpErrorAboutAReply) {
  auto a = answer();
  EXPECT_FALSE(parse_answer(encode(a))->flows[0].icmp);
  a.flows[0].icmp = ReplyError{3, 1, *IpAddress::parse("100.64.0.1"), 63, 1500};
  const auto text = encode(a);
  EXPECT_THAT(text,
              HasSubstr(R"("icmp":{"type":3,"code":1,"offender":"100.64.0.1","ttl":63,"ms_ago":1500})"));
  const auto back = parse_answer(text);
  ASSERT_TRUE(back) << back.error();
  const auto& icmp = back->flows[0].icmp;
  ASSERT_TRUE(icmp);
  EXPECT_EQ(icmp->type, 3);
  EXPECT_EQ(icmp->code, 1);
  EXPECT_EQ(icmp->offender.to_string(), "100.64.0.1");
  EXPECT_EQ(icmp->ttl, 63);
  EXPECT_EQ(icmp->ms_ago, 1500U);
}

TEST(Query, TheLargestAnswerFitsTheBody) {
  auto a = answer();
  auto big = a.flows[0];
  big.received = big.refused = big.sent = big.last_ms_ago = 0xffffffffffffffff;
  big.endpoint = Endpoint{*IpAddress::parse("2001:db8:1111:2222:3333:4444:5555:6666"), 65535};
  big.icmp = ReplyError{255, 255, big.endpoint->address, 255, 0xffffffffffffffff};
  a.flows.assign(kMaxQueryFlows, big);
  EXPECT_LE(encode(a).size(), kMaxBody);
}

TEST(Query, WhatLaterVersionsAddIsIgnored) {
  auto text = encode(request());
  text.insert(1, R"("later":{"deep":[1,2]},)");
  EXPECT_TRUE(parse_request(text));
}

TEST(Query, BadRequestsSayWhatIsWrong) {
  const std::string nonce = std::string(R"("nonce":")") + kNonce + '"';
  const std::pair<std::string, const char*> cases[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"[]", "query: expected an object"},
      {"3", "query: expected an object"},
      {"{}", "v: expected"},
      {R"({"v":2,)" + nonce + R"(,"flows":[]})", "the version 1"},
      {R"({"v":"1",)" + nonce + R"(,"flows":[]})", "v: expected"},
      {R"({"v":1,"flows":[]})", "nonce: expected 32 hexadecimal digits"},
      {R"({"v":1,"nonce":"00","flows":[]})", "nonce: expected 32"},
      {R"({"v":1,)" + nonce + "}", "flows: expected an array of at most 16"},
      {R"({"v":1,)" + nonce + R"(,"flows":{}})", "flows: expected an array"},
      {R"({"v":1,)" + nonce + R"(,"flows":[7]})", "flows: expected 16 hexadecimal digits each"},
      {R"({"v":1,)" + nonce + R"(,"flows":["zz"]})", "flows: expected 16 hexadecimal digits each"},
      {R"({"v":1,"key_id":"000000a1",)" + nonce + R"(,"flows":[]})", "gateway_id: expected 16"},
      {R"({"v":1,"gateway_id":"000000000000feed",)" + nonce + R"(,"flows":[]})", "key_id: expected 8"},
      {std::string(kMaxBody + 1, ' '), "longer than 8192"},
      {std::string(kMaxBody, '['), "not JSON"},
  };
  for (const auto& [body, message] : cases) {
    const auto parsed = parse_request(body);
    ASSERT_FALSE(parsed) << body;
    EXPECT_THAT(parsed.error(), HasSubstr(message)) << body;
  }
  auto many = request();
  many.flows.assign(kMaxQueryFlows + 1, 1);
  EXPECT_FALSE(parse_request(encode(many)));
}

TEST(Query, BadAnswersSayWhatIsWrong) {
  const auto good = encode(answer());
  const auto with = [&](std::string_view from, std::string_view to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    const auto parsed = parse_answer(text);
    return parsed ? std::string("accepted") : parsed.error();
  };
  EXPECT_THAT(with(R"("ttl":57)", R"("ttl":256)"),
              HasSubstr("flows[0]: ttl: expected a whole number from 0 to 255"));
  EXPECT_THAT(with(R"("sent":8)", R"("sent":-8)"), HasSubstr("flows[0]: sent"));
  EXPECT_THAT(with(R"("sent":8)", R"("sent":8.5)"), HasSubstr("flows[0]: sent"));
  EXPECT_THAT(with("4294967295", "4294967296"), HasSubstr("highest_sequence"));
  EXPECT_THAT(with(R"("known":true)", R"("known":1)"), HasSubstr("known: expected true or false"));
  EXPECT_THAT(with("[2001:db8::7]:41234", "example.org:5"), HasSubstr("endpoint: expected an address"));
  EXPECT_THAT(with("0021", "21"), HasSubstr("window: expected 64"));
  EXPECT_THAT(with(R"("boot_epoch":1790000000)", R"("boot_epoch":null)"), HasSubstr("answer: boot_epoch"));
  EXPECT_THAT(with(R"("last_ms_ago":1234)", R"("last_ms_ago":1234,"icmp":7)"),
              HasSubstr("flows[0]: icmp: expected an object"));
  EXPECT_THAT(with(R"("last_ms_ago":1234)", R"("last_ms_ago":1,"icmp":{"type":3,"code":1,"offender":"x"})"),
              HasSubstr("flows[0]: icmp: offender: expected an address"));
  EXPECT_THAT(with(R"({"flow_id":"ffffffffffffffff","known":false})", "5"),
              HasSubstr("flows[1]: expected an object"));
}

TEST(Query, EveryTruncationIsAnError) {
  const auto r = encode(request());
  const auto a = encode(answer());
  for (std::size_t n = 0; n < r.size(); ++n) EXPECT_FALSE(parse_request(r.substr(0, n))) << n;
  for (std::size_t n = 0; n < a.size(); ++n) EXPECT_FALSE(parse_answer(a.substr(0, n))) << n;
}

TEST(Query, SignaturesBindBodyKeyAndDirection) {
  const Bytes key(32, 7);
  const Bytes other(32, 8);
  const auto body = encode(request());
  const auto header = sign_request(body, key);
  EXPECT_EQ(header.size(), 64U);
  EXPECT_TRUE(verify_request(body, header, key));
  EXPECT_FALSE(verify_request(body, header, other));
  EXPECT_FALSE(verify_request(body + " ", header, key));
  EXPECT_FALSE(verify_answer(body, header, key));
  EXPECT_TRUE(verify_answer(body, sign_answer(body, key), key));
  EXPECT_FALSE(verify_request(body, header.substr(0, 62), key));
  EXPECT_FALSE(verify_request(body, "", key));
  EXPECT_FALSE(verify_request(body, std::string(64, 'x'), key));
}

}  // namespace
}  // namespace ue::stamp
