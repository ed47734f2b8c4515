#include "probe/localiser.h"

#include <gtest/gtest.h>

#include <map>

#include "probe/stun_packets.h"
#include "stamp/tlv.h"

namespace ue::probe {
namespace {

using namespace std::chrono_literals;
using Kind = Localiser::Task::Kind;

const Identity kLocaliserId{1, 2, {}};
constexpr FlowHandle kSteadyPort = 7;  // a flow of the prober's, on which the localiser rides

IpAddress router_address(unsigned hop) { return IpAddress::v4(0x0a000000 + hop); }

/// A line of routers, some of which are NATs that forget, and the far end behind the last.
struct ScopeLine {
  struct Router {
    bool answers = true;
    std::optional<Nanos> forgets{};  ///< a NAT with this timer
    bool stateless = false;          ///< a NAT that never knows what comes back
    bool stops = false;              ///< nothing passes it
    std::size_t widest = 65535;      ///< larger packets vanish behind it
  };
  struct Reply {
    Instant at;
    FlowHandle flow;
    Bytes packet;
    std::uint32_t held_ms;
  };
  std::vector<Router> routers;
  Localiser localiser;
  Instant now = Instant{} + 1h;
  std::map<std::pair<FlowHandle, unsigned>, Instant> seen;  ///< by the NAT at a hop
  std::vector<Reply> held;
  std::map<FlowHandle, bool> open{{kSteadyPort, true}};
  std::size_t most_open = 0;
  std::size_t packets = 0;
  std::vector<std::uint64_t> asked;
  Localiser::Task task;
  bool quotes = true;  ///< routers quote the packet that they complain of
  bool stun = false;

  explicit ScopeLine(std::vector<Router> line, bool speaks_stun = false)
      : routers(std::move(line)),
        localiser({speaks_stun ? std::nullopt : std::optional(kLocaliserId), speaks_stun},
                  [n = 0ULL]() mutable { return ++n * 0x9e3779b97f4a7c15; }),
        stun(speaks_stun) {
    localiser.restart(clock());
    task.room = 20;
  }

  Now clock() const {
    return {now, WallTime{} + std::chrono::hours(500'000) + now.time_since_epoch(), now.time_since_epoch()};
  }
  /// Whether what comes from behind hop `from` finds its way back to the flow.
  bool returns(FlowHandle flow, unsigned from) {
    for (unsigned hop = from - 1; hop >= 1; --hop) {
      const auto& r = routers[hop - 1];
      if (r.stateless) return false;
      if (!r.forgets) continue;
      const auto state = seen.find({flow, hop});
      if (state == seen.end() || now - state->second > *r.forgets) return false;
      state->second = now;
    }
    return true;
  }
  void send(const SendProbe& probe) {
    ++packets;
    ASSERT_TRUE(open[probe.flow]);
    const unsigned ttl = probe.ttl.value_or(64);
    for (unsigned hop = 1; hop <= routers.size(); ++hop) {
      const auto& r = routers[hop - 1];
      // A packet that ends at a NAT renews an entry there and makes none.
      if (hop < ttl || seen.contains({probe.flow, hop})) seen[{probe.flow, hop}] = now;
      if (hop == ttl) {
        if (r.answers && returns(probe.flow, hop))
          localiser.on_time_exceeded(probe.flow, router_address(hop),
                                     quotes ? ByteView(probe.packet) : ByteView());
        return;
      }
      if (r.stops || probe.packet.size() > r.widest) return;
    }
    const auto tlv =
        stun ? std::nullopt
             : stamp::find_tlv(probe.packet, stamp::Mode::authenticated, stamp::TlvType::flow_control);
    const auto hold = tlv ? stamp::FlowTlv::parse(tlv->value)->hold_ms : 0U;
    held.push_back({now + std::chrono::milliseconds(hold), probe.flow, probe.packet, hold});
  }
  void arrive(const Reply& reply) {
    if (!returns(reply.flow, static_cast<unsigned>(routers.size()) + 1) || stun) return;
    const auto sent = stamp::parse_sender(reply.packet, stamp::Mode::authenticated);
    stamp::ReflectorPacket back;
    back.ssid = sent->ssid;
    back.sender_sequence = sent->sequence;
    back.error_estimate = back.sender_error_estimate = sent->error_estimate;
    Bytes packet(stamp::kAuthenticatedSize);
    stamp::encode(back, stamp::Mode::authenticated, packet);
    stamp::sign_base(packet, kLocaliserId.secret);
    auto flow = *stamp::FlowTlv::parse(
        stamp::find_tlv(reply.packet, stamp::Mode::authenticated, stamp::TlvType::flow_control)->value);
    flow.hold_ms = reply.held_ms;
    stamp::append_tlv(packet, stamp::TlvType::flow_control, flow.encode());
    packet[stamp::kAuthenticatedSize] = 0;  // a reflector clears U
    stamp::append_hmac_tlv(packet, stamp::Mode::authenticated, kLocaliserId.secret);
    localiser.on_datagram(clock(), reply.flow, packet, true);
  }
  void carry_out() {
    for (const auto& a : localiser.take_actions()) {
      if (const auto* o = std::get_if<OpenFlow>(&a)) open[o->flow] = true;
      if (const auto* c = std::get_if<CloseFlow>(&a)) open[c->flow] = false;
      if (const auto* s = std::get_if<SendProbe>(&a)) send(*s);
      if (const auto* q = std::get_if<AskReflector>(&a)) asked = q->flow_ids;
    }
    most_open = std::max<std::size_t>(
        most_open, std::count_if(open.begin(), open.end(), [](const auto& f) { return f.second; }));
  }
  void run_for(Nanos time) {
    for (const auto end = now + time; now < end; now += 10ms) {
      for (auto& r : std::exchange(held, {})) r.at <= now ? arrive(r) : held.push_back(r);
      localiser.set_task(clock(), task);
      localiser.advance(clock(), {});
      carry_out();
    }
  }
  void learn() {
    task.kind = Kind::usual;
    run_for(20s);
    ASSERT_TRUE(localiser.findings().usual);
  }
  void trouble() {
    // The silent flow had gone through before.
    for (unsigned hop = 1; hop <= routers.size(); ++hop) seen[{kSteadyPort, hop}] = now;
    task.kind = Kind::silent;
    task.flow = kSteadyPort;
  }
  std::vector<bool> dark() const {
    std::vector<bool> out;
    for (const auto& r : localiser.findings().now->routers) out.push_back(!r);
    return out;
  }
};

TEST(Localiser, LearnsTheWayWhileThePathWorks) {
  ScopeLine line({{}, {.answers = false}, {}});
  line.learn();
  const auto& usual = *line.localiser.findings().usual;
  EXPECT_EQ(usual.length, 4U);
  ASSERT_EQ(usual.routers.size(), 3U);
  EXPECT_EQ(usual.at(1), router_address(1));
  EXPECT_EQ(usual.at(2), std::nullopt);
  EXPECT_EQ(usual.at(3), router_address(3));
  EXPECT_FALSE(line.localiser.busy());
  const auto packets = line.packets;
  EXPECT_LE(packets, 8U);
  line.run_for(1h);
  EXPECT_EQ(line.packets, packets) << "that is enough for hours";
  line.run_for(6h);
  EXPECT_GT(line.packets, packets);
}

TEST(Localiser, TheSilentPortsOwnTraceGoesDarkBehindTheNatThatForgot) {
  for (const bool stateless : {true, false}) {
    ScopeLine line({{}, {.forgets = 60s}, {}, {}});
    line.learn();
    line.trouble();
    line.routers[1].stateless = stateless;
    if (!stateless) line.routers[1].forgets = Nanos(-1);
    line.run_for(20s);
    ASSERT_TRUE(line.localiser.findings().now);
    EXPECT_EQ(line.dark(), (std::vector<bool>{false, false, true, true}));
    EXPECT_EQ(line.localiser.findings().now->length, std::nullopt);
    line.task.kind = Kind::usual;
    line.run_for(1s);
    EXPECT_FALSE(line.localiser.findings().now) << "the path works again";
  }
}

TEST(Localiser, ALostAnswerIsAskedForAgain) {
  ScopeLine line({{}, {}, {}, {}});
  line.learn();
  line.trouble();
  line.routers[1].answers = line.routers[2].answers = false;
  line.run_for(4500ms);
  line.routers[1].answers = line.routers[2].answers = true;
  line.run_for(20s);
  EXPECT_EQ(line.dark(), (std::vector<bool>(4, false)));
}

TEST(Localiser, ARouterThatQuotesNothingIsTakenAtItsTime) {
  ScopeLine line({{}, {}, {.stops = true}, {}});
  line.routers[2].stops = false;
  line.learn();
  line.quotes = false;
  line.trouble();
  line.routers[2].stops = true;
  line.run_for(20s);
  EXPECT_EQ(line.dark(), (std::vector<bool>{false, false, false, true}));
  EXPECT_EQ(line.localiser.findings().now->at(2), router_address(2));
}

TEST(Localiser, LargePacketsOfTheirOwnShowWhereTheyEnd) {
  ScopeLine line({{}, {.widest = 1372}, {}, {}});
  line.learn();
  line.task.kind = Kind::large;
  for (const std::size_t payload : {1464, 1372}) {
    line.task.payload = payload;
    line.run_for(20s);
    ASSERT_TRUE(line.localiser.findings().now);
    const bool vanish = payload > line.routers[1].widest;
    EXPECT_EQ(line.dark(), (std::vector<bool>{false, false, vanish, vanish})) << payload;
    line.task.kind = Kind::usual;
    line.run_for(3s);
    EXPECT_FALSE(line.localiser.findings().now) << "they pass again";
    line.task.kind = Kind::large;
  }
  // What is known of large packets says nothing of a flow that falls silent.
  line.run_for(20s);
  ASSERT_TRUE(line.localiser.findings().now);
  line.trouble();
  line.run_for(20ms);
  EXPECT_FALSE(line.localiser.findings().now);
}

TEST(Localiser, WhereNothingReturnsItSendsOnlyInItsSlots) {
  ScopeLine line({{}, {}, {}});
  line.learn();
  line.trouble();
  line.task.paced = true;
  line.run_for(10s);
  EXPECT_TRUE(line.localiser.wants_slots());
  const auto before = line.packets;
  line.run_for(60s);
  EXPECT_EQ(line.packets, before);
  line.localiser.slot(line.clock());
  line.carry_out();
  EXPECT_EQ(line.packets, before + 1);
}

TEST(Localiser, ASocketsOtherErrorsAreNotItsOwn) {
  ScopeLine line({{}, {}, {}});
  EXPECT_FALSE(line.localiser.on_time_exceeded(kSteadyPort, router_address(1), {}));
  line.trouble();
  line.localiser.set_task(line.clock(), line.task);
  line.localiser.advance(line.clock(), {});
  line.now += 2s;
  line.localiser.advance(line.clock(), {});
  const Bytes foreign(40, 0xee);
  EXPECT_FALSE(line.localiser.on_time_exceeded(kSteadyPort, router_address(1), foreign));
  EXPECT_FALSE(line.localiser.on_time_exceeded(kSteadyPort + 1, router_address(1), {}));
}

TEST(Localiser, StunServersWayIsTracedToo) {
  ScopeLine line({{}, {}, {}}, true);
  line.trouble();
  line.routers[1].stateless = true;
  line.run_for(2s);
  EXPECT_TRUE(line.localiser.busy());
  EXPECT_FALSE(line.localiser.learns(line.now)) << "how far the server is, nobody knows";
  line.localiser.on_refused({3, 13, router_address(1), 0, line.now});
  EXPECT_TRUE(line.localiser.learns(line.now)) << "who refused has a place";
  line.run_for(28s);
  ASSERT_TRUE(line.localiser.findings().now);
  EXPECT_FALSE(line.localiser.learns(line.now));
  EXPECT_EQ(line.localiser.findings().now->at(2), router_address(2));
  EXPECT_EQ(line.localiser.findings().now->at(3), std::nullopt);
}

/// Timers of the home router and the carrier's NAT, and which of them is found.
TEST(Localiser, KeepalivesWithATtlFindTheNatThatForgets) {
  struct Case {
    Nanos home, carrier;
    std::optional<unsigned> hop;
  };
  for (const auto& c : {Case{20s, 5s, 2}, Case{5s, 20s, 1}, Case{5s, 5s, 2}}) {
    ScopeLine line({{.forgets = c.home}, {.forgets = c.carrier}, {}});
    line.learn();
    line.task.kind = Kind::lifetime;
    line.task.stream.lower = 4s;
    line.task.stream.upper = 5s;
    line.run_for(40s);
    EXPECT_EQ(line.localiser.findings().forgetful, c.hop) << to_seconds(c.home);
    EXPECT_LE(line.most_open, 1 + HopKeepalives::flows(3));
    EXPECT_FALSE(line.asked.empty()) << "the far end may have heard of the lost replies";
    line.task.kind = Kind::usual;
    line.run_for(1s);
    EXPECT_FALSE(line.localiser.findings().forgetful);
  }
}

TEST(Localiser, AMappingThatNothingKeepsOrThatLivesOnNamesNoHop) {
  ScopeLine none({{}, {.stateless = false}, {}});
  none.learn();
  none.task.kind = Kind::lifetime;
  none.task.stream.lower = 4s;
  none.task.stream.upper = 5s;
  none.run_for(60s);
  EXPECT_FALSE(none.localiser.findings().forgetful) << "nothing forgets: the hold was too short";
  const auto packets = none.packets;
  none.task.room = 3;
  none.run_for(2h);
  EXPECT_EQ(none.packets, packets) << "no room for so many flows";
}

TEST(Localiser, AnswersTellTheLengthAndWhoRefusedAReply) {
  ScopeLine line({{}, {}, {}});
  stamp::QueryAnswer answer;
  answer.flows.resize(1);
  auto& flow = answer.flows[0];
  flow.flow_id = 99;
  flow.known = true;
  flow.ttl = 61;
  flow.icmp = stamp::ReplyError{3, 3, router_address(9), 63, 500};
  EXPECT_FALSE(line.localiser.on_answer(line.clock(), answer)) << "it was the prober's question";
  EXPECT_EQ(line.localiser.findings().length, 4U);
  EXPECT_FALSE(line.localiser.findings().reply_refused) << "nothing is looked into";
  line.trouble();
  line.run_for(1s);
  line.localiser.on_answer(line.clock(), answer);
  ASSERT_TRUE(line.localiser.findings().reply_refused);
  EXPECT_EQ(line.localiser.findings().reply_refused->ttl, 63);
  EXPECT_EQ(line.localiser.findings().reply_refused->offender, router_address(9));
}

}  // namespace
}  // namespace ue::probe
