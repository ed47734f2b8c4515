#include "probe/response_port.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <utility>

#include "probe/hold_ladder.h"
#include "stun/binding.h"

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

/// A NAT with Linux's two timers and a STUN server behind it, in virtual time.
struct StunHome {
  Nanos unreplied = 3s;
  Nanos stream = 6s;
  bool offers = true;  ///< RESPONSE-PORT
  bool paired = true;  ///< all our flows have one outer address
  struct Mapping {
    Instant born{};
    Instant used{};
    bool is_stream = false;
  };
  std::map<FlowHandle, Mapping> mappings;
  std::set<FlowHandle> open;
  std::size_t most_open = 0;
  std::mt19937_64 random{7};
  Now now{Instant(1000s), WallTime(1'700'000'000s), 1000s};
  HoldLadder ladder;

  StunHome()
      : ladder(
            [] {
              HoldLadder::Settings s;
              s.holds = {1s, 2s, 4s, 8s};
              s.stun = true;
              return s;
            }(),
            [this] { return random(); }) {}

  bool alive(FlowHandle flow) {
    const auto m = mappings.find(flow);
    return m != mappings.end() && now.mono - m->second.used < (m->second.is_stream ? stream : unreplied);
  }
  static std::uint16_t port(FlowHandle flow) { return static_cast<std::uint16_t>(flow & 0xffff); }

  void carry(const SendProbe& s) {
    if (!alive(s.flow)) mappings[s.flow] = {now.mono, now.mono, false};
    auto& own = mappings[s.flow];
    own.used = now.mono;
    own.is_stream = own.is_stream || now.mono - own.born > 2s;
    const auto header = stun::parse_header(s.packet);
    FlowHandle to = s.flow;
    stun::AttributeReader reader(s.packet);
    while (const auto a = reader.next()) {
      if (!offers || !a->is(stun::AttributeType::response_port)) continue;
      for (const auto& [flow, m] : mappings) {
        if (port(flow) == get_u16(a->value.data())) to = flow;
      }
      // Another outer address has another flow behind that port, or none.
      if (!paired && to % 3 != s.flow % 3) return;
    }
    if (!alive(to) || !open.contains(to)) return;
    auto answer = stun::begin_message(stun::MessageType::binding_success, header->transaction_id);
    Bytes value(8);
    value[1] = 1;
    put_u16(&value[2], port(s.flow));
    put_u32(&value[4], paired ? 0xc6336401 : 0xc6336400 + s.flow % 3);
    stun::append_attribute(answer, static_cast<std::uint16_t>(stun::AttributeType::mapped_address), value);
    mappings[to].used = now.mono;
    ladder.on_datagram(now, to, answer, true);
  }

  void run(Nanos time) {
    ladder.set_allowed(now, true);
    for (const auto end = now.mono + time; now.mono < end; now.mono += 50ms, now.wall += 50ms) {
      if (ladder.wake_at() <= now.mono) ladder.advance(now, {500ms, 8, 0});
      for (auto actions = ladder.take_actions(); !actions.empty(); actions = ladder.take_actions()) {
        for (const auto& action : actions) {
          if (const auto* o = std::get_if<OpenFlow>(&action)) open.insert(o->flow);
          if (const auto* c = std::get_if<CloseFlow>(&action)) open.erase(c->flow);
          if (const auto* s = std::get_if<SendProbe>(&action)) carry(*s);
          most_open = std::max(most_open, open.size());
        }
      }
    }
  }
};

TEST(ResponsePort, FindsBothTimersOfLinux) {
  StunHome home;
  home.run(30min);
  const auto stream = std::as_const(home.ladder).lifetime(Pattern::stream).bracket();
  ASSERT_TRUE(stream && stream->upper);
  EXPECT_LE(stream->lower, 6s);
  EXPECT_GE(*stream->upper, 5s);
  EXPECT_LE(*stream->upper - stream->lower, 2s);
  const auto exchange = std::as_const(home.ladder).lifetime(Pattern::exchange).bracket();
  ASSERT_TRUE(exchange && exchange->upper);
  EXPECT_LE(exchange->lower, 3s);
  EXPECT_LE(*exchange->upper, 4s);
  EXPECT_FALSE(std::as_const(home.ladder).lifetime(Pattern::solitary).bracket());
  EXPECT_FALSE(std::as_const(home.ladder).lifetime(Pattern::active).bracket());
  EXPECT_LE(home.most_open, HoldLadder::kMostFlows + 1);
}

TEST(ResponsePort, AMappingThatOutlivesEveryHoldHasNoUpperBound) {
  StunHome home;
  home.unreplied = home.stream = 300s;
  home.run(15min);
  const auto stream = std::as_const(home.ladder).lifetime(Pattern::stream).bracket();
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->lower, 8s);
  EXPECT_FALSE(stream->upper);
}

TEST(ResponsePort, AServerThatDoesNotOfferItSaysNothing) {
  StunHome home;
  home.offers = false;
  home.run(15min);
  EXPECT_TRUE(home.ladder.refused());
  for (const auto p : kPatterns) EXPECT_FALSE(std::as_const(home.ladder).lifetime(p).bracket());
}

TEST(ResponsePort, ANatThatGivesOurFlowsDifferentAddressesIsNotJudged) {
  StunHome home;
  home.paired = false;
  home.run(15min);
  const auto stream = std::as_const(home.ladder).lifetime(Pattern::stream).bracket();
  EXPECT_FALSE(stream && stream->upper && *stream->upper < 6s);
}

}  // namespace
}  // namespace ue::probe
