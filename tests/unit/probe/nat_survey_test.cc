#include "probe/nat_survey.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "stun/binding.h"

namespace ue::probe {
namespace {

using namespace std::chrono_literals;

Endpoint endpoint(const char* address, std::uint16_t port) { return {*IpAddress::parse(address), port}; }

const Endpoint kA1P1 = endpoint("203.0.113.1", 3478);
const Endpoint kA2P2 = endpoint("203.0.113.2", 3479);
const Endpoint kElsewhere = endpoint("198.18.0.1", 3478);
constexpr const char* kOwn = "192.168.1.2";

/// A NAT and, beyond it, an RFC 5780 server and one that only tells what it sees. Virtual time.
struct Internet {
  Mapping mapping = Mapping::endpoint_independent;
  Filtering filtering = Filtering::address_and_port_dependent;
  bool offers_other = true;  ///< OTHER-ADDRESS in its answers
  bool honours = true;       ///< CHANGE-REQUEST
  bool other_address_dead = false;
  bool changed_answers_vanish = false;  ///< on the server's own side
  double loss = 0;
  std::uint64_t seed = 1;

  NatSurvey survey{[this] { return random(); }};
  Now now{Instant(1000s), WallTime(1'700'000'000s), 1000s};
  std::mt19937_64 random{seed};
  std::set<FlowHandle> open;
  std::size_t most_open = 0;
  std::map<std::pair<FlowHandle, Endpoint>, std::uint16_t>
      ports;  ///< outer, by (flow, what the rule looks at)
  std::map<std::pair<FlowHandle, std::uint16_t>, std::set<Endpoint>> sent_to;  ///< by outer port
  /// What was not let in: as Linux does where it owns its outer address, nothing of ours leaves from that
  /// port towards there any more.
  std::set<std::pair<std::uint16_t, Endpoint>> taken;
  int packets = 0;

  Internet() { survey.set_servers(now, {{kA1P1, true, {}}, {kElsewhere, true, {}}}); }

  bool lost() { return std::uniform_real_distribution<>(0, 1)(random) < loss; }

  std::uint16_t outer_port(FlowHandle flow, const Endpoint& to) {
    Endpoint key;
    if (mapping == Mapping::none) return static_cast<std::uint16_t>(50000 + flow);
    if (mapping == Mapping::address_dependent) key.address = to.address;
    if (mapping == Mapping::address_and_port_dependent) key = to;
    if (mapping == Mapping::per_packet) key.port = static_cast<std::uint16_t>(packets);
    const auto fresh = static_cast<std::uint16_t>(20000 + ports.size());
    const auto port = ports.try_emplace({flow, key}, fresh).first->second;
    return taken.contains({port, to}) ? static_cast<std::uint16_t>(port + 10000) : port;
  }

  bool let_in(FlowHandle flow, std::uint16_t port, const Endpoint& from) {
    const auto& known = sent_to[{flow, port}];
    if (filtering == Filtering::endpoint_independent) return true;
    if (filtering == Filtering::address_and_port_dependent) return known.contains(from);
    return std::any_of(known.begin(), known.end(), [&](const auto& e) { return e.address == from.address; });
  }

  void carry(const NatSurvey::Send& s) {
    ++packets;
    const auto port = outer_port(s.flow, s.to);
    sent_to[{s.flow, port}].insert(s.to);
    if (lost() || lost()) return;
    if (other_address_dead && s.to.address == kA2P2.address) return;
    const auto header = stun::parse_header(s.packet);
    Endpoint from = s.to;
    stun::AttributeReader reader(s.packet);
    while (const auto a = reader.next()) {
      if (!a->is(stun::AttributeType::change_request) || !honours) continue;
      const auto flags = get_u32(a->value.data());
      if ((flags & 4) != 0) from.address = kA2P2.address;
      if ((flags & 2) != 0) from.port = kA2P2.port;
    }
    if (other_address_dead && from.address == kA2P2.address) return;
    if (changed_answers_vanish && from != s.to) return;
    const Endpoint local = endpoint(kOwn, static_cast<std::uint16_t>(50000 + s.flow));
    const Endpoint mapped =
        mapping == Mapping::none ? local : Endpoint{endpoint("198.51.100.7", 0).address, port};
    auto answer = stun::begin_message(stun::MessageType::binding_success, header->transaction_id);
    const auto append = [&](stun::AttributeType type, const Endpoint& e) {
      Bytes value(8);
      value[1] = 1;
      put_u16(&value[2], e.port);
      put_u32(&value[4], e.address.v4_value());
      stun::append_attribute(answer, static_cast<std::uint16_t>(type), value);
    };
    append(stun::AttributeType::mapped_address, mapped);
    if (offers_other && s.to == kA1P1) append(stun::AttributeType::other_address, kA2P2);
    if (lost()) return;
    if (!let_in(s.flow, port, from)) {
      taken.insert({port, from});
    } else if (open.contains(s.flow)) {
      survey.on_datagram(now, s.flow, answer, from, local);
    }
  }

  /// Half a minute and more of it, until nothing is under way.
  void survey_once(Nanos least = 40s) {
    const auto end = now.mono + least;
    do {
      now.mono += 100ms;
      now.wall += 100ms;
      survey.advance(now, {500ms, 8, 0});
      for (auto actions = survey.take_actions(); !actions.empty(); actions = survey.take_actions()) {
        for (const auto& action : actions) {
          if (const auto* o = std::get_if<NatSurvey::Open>(&action)) open.insert(o->flow);
          if (const auto* c = std::get_if<NatSurvey::Close>(&action)) open.erase(c->flow);
          if (const auto* s = std::get_if<NatSurvey::Send>(&action)) carry(*s);
          most_open = std::max(most_open, open.size());
        }
      }
    } while (now.mono < end || survey.running());
  }

  void run() {
    survey.set_allowed(now, true);
    survey_once();
    survey_once();
  }
};

constexpr Mapping kMappings[] = {Mapping::none, Mapping::endpoint_independent, Mapping::address_dependent,
                                 Mapping::address_and_port_dependent};
constexpr Filtering kFilterings[] = {Filtering::endpoint_independent, Filtering::address_dependent,
                                     Filtering::address_and_port_dependent};

TEST(NatSurvey, FindsEveryBehaviour) {
  for (const auto mapping : kMappings) {
    for (const auto filtering : kFilterings) {
      Internet internet;
      internet.mapping = mapping;
      internet.filtering = filtering;
      internet.run();
      EXPECT_EQ(internet.survey.mapping(), mapping) << name(mapping) << ' ' << name(filtering);
      EXPECT_EQ(internet.survey.filtering(), filtering) << name(mapping) << ' ' << name(filtering);
      EXPECT_EQ(internet.most_open, 1U);
      EXPECT_LT(internet.packets, 150);
      EXPECT_TRUE(internet.open.empty());
    }
  }
}

TEST(NatSurvey, LossIsNoFilterAndNoMapping) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    for (const auto filtering : kFilterings) {
      Internet internet;
      internet.random.seed(seed);
      internet.loss = 0.1;  // three times a round trip
      internet.filtering = filtering;
      internet.run();
      EXPECT_EQ(internet.survey.mapping(), Mapping::endpoint_independent) << seed;
      EXPECT_EQ(internet.survey.filtering(), filtering) << seed << ' ' << name(filtering);
    }
  }
}

TEST(NatSurvey, AServerThatCannotChangeItsAddressTellsOfNoFilter) {
  Internet plain;
  plain.offers_other = false;
  plain.run();
  EXPECT_EQ(plain.survey.mapping(), Mapping::endpoint_independent);  // from the two servers
  EXPECT_EQ(plain.survey.filtering(), Filtering::unknown);

  Internet ignorant;
  ignorant.honours = false;
  ignorant.run();
  EXPECT_EQ(ignorant.survey.filtering(), Filtering::unknown);

  Internet symmetric;
  symmetric.honours = false;
  symmetric.mapping = Mapping::address_and_port_dependent;
  symmetric.run();
  EXPECT_EQ(symmetric.survey.mapping(), Mapping::address_and_port_dependent);
  EXPECT_EQ(symmetric.survey.filtering(), Filtering::unknown);
}

TEST(NatSurvey, AnswersThatDoNotPassAnOpenWayEitherAreNoFilter) {
  Internet internet;
  internet.changed_answers_vanish = true;
  internet.run();
  EXPECT_EQ(internet.survey.mapping(), Mapping::endpoint_independent);
  EXPECT_EQ(internet.survey.filtering(), Filtering::unknown);
}

TEST(NatSurvey, AnOtherAddressThatNeverAnswersIsNoFilter) {
  Internet internet;
  internet.filtering = Filtering::endpoint_independent;
  internet.other_address_dead = true;
  internet.run();
  EXPECT_EQ(internet.survey.mapping(), Mapping::endpoint_independent);
  EXPECT_EQ(internet.survey.filtering(), Filtering::unknown);
}

TEST(NatSurvey, OneServerAloneShowsOnlyThatNobodyTranslates) {
  Internet internet;
  internet.survey.set_servers(internet.now, {{kElsewhere, true, {}}});
  internet.run();
  EXPECT_EQ(internet.survey.mapping(), Mapping::unknown);
  EXPECT_EQ(internet.survey.mapped()->address.to_string(), "198.51.100.7");
  internet.mapping = Mapping::none;
  internet.survey_once(200s);
  EXPECT_EQ(internet.survey.mapping(), Mapping::none);
}

TEST(NatSurvey, TwoServersTellThatItDependsNotOnWhat) {
  Internet internet;
  internet.offers_other = false;
  internet.mapping = Mapping::address_and_port_dependent;
  internet.run();
  EXPECT_EQ(internet.survey.mapping(), Mapping::destination_dependent);
}

TEST(NatSurvey, APortForEachPacketIsSaidOnlyWhenSeenTwice) {
  Internet internet;
  internet.mapping = Mapping::per_packet;
  internet.survey.set_allowed(internet.now, true);
  internet.survey_once(20s);
  EXPECT_EQ(internet.survey.mapping(), Mapping::unknown);
  internet.survey_once(60s);
  EXPECT_EQ(internet.survey.mapping(), Mapping::per_packet);
}

TEST(NatSurvey, AChangeIsBelievedWhenSeenTwice) {
  Internet internet;
  internet.run();
  internet.mapping = Mapping::address_and_port_dependent;
  internet.survey.look_again(internet.now);
  internet.survey_once(10s);
  EXPECT_EQ(internet.survey.mapping(), Mapping::endpoint_independent);
  internet.survey_once(60s);
  EXPECT_EQ(internet.survey.mapping(), Mapping::address_and_port_dependent);
}

TEST(NatSurvey, WhatIsKnownOutlivesAnOutageAndNotAnotherNetwork) {
  Internet internet;
  internet.run();
  internet.survey.set_allowed(internet.now, false);
  const auto before = internet.packets;
  internet.survey_once(300s);
  EXPECT_EQ(internet.packets, before);
  EXPECT_EQ(internet.survey.mapping(), Mapping::endpoint_independent);
  internet.survey.restart(internet.now);
  EXPECT_EQ(internet.survey.mapping(), Mapping::unknown);
  EXPECT_FALSE(internet.survey.mapped());
}

TEST(NatSurvey, LooksAgainEverySixHours) {
  Internet internet;
  internet.run();
  const auto before = internet.packets;
  internet.survey_once(5h);
  EXPECT_EQ(internet.packets, before);
  internet.survey_once(2h);
  EXPECT_GT(internet.packets, before);
}

TEST(NatBehaviour, WhoseNatItIs) {
  const auto grade = [](const char* own, const char* mapped, const std::vector<IpAddress>& beyond = {}) {
    return carrier_grade(*IpAddress::parse(own), *IpAddress::parse(mapped), beyond);
  };
  EXPECT_EQ(grade("198.51.100.1", "198.51.100.1"), CarrierGrade::none);
  EXPECT_EQ(grade("2001:db8::1", "2001:db8::1"), CarrierGrade::none);
  EXPECT_EQ(grade("123.45.0.2", "198.51.100.1"), CarrierGrade::yes);
  EXPECT_EQ(grade("100.64.7.2", "198.51.100.1"), CarrierGrade::yes);
  EXPECT_EQ(grade("100.127.255.255", "198.51.100.1"), CarrierGrade::yes);
  EXPECT_EQ(grade("192.0.0.2", "198.51.100.1"), CarrierGrade::yes);
  EXPECT_EQ(grade("192.168.0.2", "198.51.100.1"), CarrierGrade::unknown);
  EXPECT_EQ(grade("172.31.0.2", "198.51.100.1"), CarrierGrade::unknown);
  EXPECT_EQ(grade("192.168.0.2", "198.51.100.1", {*IpAddress::parse("100.64.0.1")}), CarrierGrade::yes);
  EXPECT_EQ(grade("fd00::2", "2001:db8::1"), CarrierGrade::unknown);
}

}  // namespace
}  // namespace ue::probe
