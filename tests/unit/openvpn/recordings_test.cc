// The recordings of real daemons in tests/data/openvpn, each with the counts of its own lines in
// expected.json.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "openvpn/log_head.h"
#include "support.h"

namespace ue::openvpn {
namespace {

using testing_support::read_data;
using testing_support::Told;

struct Recording {
  const char* name;
  /// By (reason, state left): the data channel or the return path failed, as the faults were injected.
  std::map<std::pair<Reason, From>, std::uint64_t> reconnects;
  std::uint64_t handshakes_failed;  ///< also those that 2.4 leaves by ping-restart
  double session_seconds;
};

void PrintTo(const Recording& r, std::ostream* out) { *out << r.name; }

class Recordings : public testing::TestWithParam<Recording> {
 protected:
  std::string path(const char* file) const { return std::string(GetParam().name) + "/" + file; }
  nlohmann::json expected() const { return nlohmann::json::parse(read_data(path("expected.json"))); }
};

TEST_P(Recordings, TheClientsLogGivesItsCounts) {
  Told told;
  told(read_data(path("c.log")));
  const TunnelState& state = told.state();
  const auto client = expected()["client"];

  std::map<std::string, std::uint64_t> by_reason;
  std::map<std::pair<Reason, From>, std::uint64_t> by_both;
  for (std::size_t r = 0; r < kReasons; ++r)
    for (std::size_t f = 0; f < kFroms; ++f)
      if (const auto n = state.reconnects[r][f]) {
        by_reason[std::string(name(static_cast<Reason>(r)))] += n;
        by_both[{static_cast<Reason>(r), static_cast<From>(f)}] += n;
      }
  EXPECT_EQ(nlohmann::json(by_reason), client["reconnects_by_reason"]);
  EXPECT_EQ(by_both, GetParam().reconnects);
  EXPECT_EQ(state.sessions, client["sessions"]);
  EXPECT_EQ(state.handshakes_completed, client["handshakes_completed"]);
  EXPECT_EQ(state.handshakes_failed, GetParam().handshakes_failed);
  EXPECT_EQ(state.handshakes_started, state.handshakes_completed + state.handshakes_failed);
  EXPECT_EQ(state.soft_resets, client["soft_resets"]);
  EXPECT_EQ(state.endpoint_changes, 0u);  // one server, one address
  EXPECT_EQ(state.session_durations.count(), client["sessions"]);
  EXPECT_EQ(state.session_durations.sum, GetParam().session_seconds);
  EXPECT_EQ(state.keepalive_ping, std::chrono::seconds(2));
  EXPECT_EQ(state.keepalive_restart, std::chrono::seconds(8));
  EXPECT_EQ(state.role, Role::client);
  EXPECT_EQ(state.state, State::exiting);
}

TEST_P(Recordings, TheServersLogGivesItsCounts) {
  Told told;
  told(read_data(path("s.log")));
  const TunnelState& state = told.state();
  const auto server = expected()["server"];
  const auto client = server["clients"]["client-one"];
  const std::uint64_t arrivals = client["arrivals"];

  ASSERT_TRUE(told.tracker.clients().find("client-one"));
  EXPECT_EQ(told.tracker.clients().size(), 1u);
  EXPECT_EQ(told.tracker.clients().find("client-one")->arrivals, arrivals);
  EXPECT_TRUE(
      told.tracker.clients().find("client-one")->is_at(client["endpoints"].back().get<std::string>()));
  EXPECT_EQ(state.endpoint_changes, client["endpoint_changes"]);
  EXPECT_EQ(state.sessions, arrivals);
  EXPECT_EQ(state.handshakes_completed, arrivals);
  EXPECT_EQ(state.reconnect_count(Reason::new_session, From::other), arrivals - 1);
  EXPECT_EQ(state.soft_resets, server["soft_resets"]);
  EXPECT_EQ(state.keepalive_ping, std::chrono::seconds(2));
  EXPECT_EQ(state.keepalive_restart, std::chrono::seconds(8));  // the server's own is twice that
  EXPECT_EQ(state.role, Role::server);
  EXPECT_EQ(state.state, State::exiting);
}

TEST_P(Recordings, AreTheSameBehindEveryHead) {
  for (const char* file : {"c.log", "s.log"}) {
    const std::string log = read_data(path(file));
    Told plain;
    plain(log);
    for (const char* head : {"", "2026-11-23 08:55:38 us=937218 ", "1795424138.054131 26000003 ",
                             "Nov 23 08:55:38 gw openvpn[812]: "}) {
      std::string other;
      std::istringstream lines(log);
      for (std::string line; std::getline(lines, line);)
        other += head + std::string(split_head(line).text) + "\n";
      Told told;
      told(other);
      EXPECT_EQ(told.state().reconnects, plain.state().reconnects) << file << ' ' << head;
      EXPECT_EQ(told.state().handshakes_started, plain.state().handshakes_started) << file << ' ' << head;
      EXPECT_EQ(told.state().handshakes_failed, plain.state().handshakes_failed) << file << ' ' << head;
      EXPECT_EQ(told.state().endpoint_changes, plain.state().endpoint_changes) << file << ' ' << head;
      EXPECT_EQ(told.state().state, plain.state().state) << file << ' ' << head;
    }
  }
}

using R = Reason;
INSTANTIATE_TEST_SUITE_P(All, Recordings,
                         testing::Values(Recording{"v2.4.12",
                                                   {{{R::ping_restart, From::connected}, 6},
                                                    {{R::ping_restart, From::wait}, 3},
                                                    {{R::signal, From::connected}, 1}},
                                                   3,
                                                   93},
                                         Recording{"v2.6.22",
                                                   {{{R::ping_restart, From::connected}, 6},
                                                    {{R::tls_error, From::wait}, 3},
                                                    {{R::signal, From::connected}, 1}},
                                                   3,
                                                   99},
                                         Recording{"v2.7.6-udp6",
                                                   {{{R::ping_restart, From::connected}, 5},
                                                    {{R::tls_error, From::wait}, 2},
                                                    {{R::signal, From::connected}, 1}},
                                                   2,
                                                   104}),
                         [](const auto& recording) {
                           std::string id = recording.param.name;
                           for (char& c : id)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return id;
                         });

}  // namespace
}  // namespace ue::openvpn
