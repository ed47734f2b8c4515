// The recordings again, as a management client saw them, alone and beside the log of the same daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "openvpn/log_head.h"
#include "transcript.h"

namespace ue::openvpn {
namespace {

using testing_support::read_data;
using testing_support::read_transcript;
using testing_support::Voices;

/// The full block left so many handshakes unfinished, and the silences ended so many sessions
/// (recordings_test).
struct Transcript {
  const char* name;
  std::uint64_t handshakes_failed;
  std::uint64_t silences;
};

void PrintTo(const Transcript& t, std::ostream* out) { *out << t.name; }

class Transcripts : public testing::TestWithParam<Transcript> {
 protected:
  std::string path(const char* file) const { return std::string(GetParam().name) + "/" + file; }
  nlohmann::json expected() const { return nlohmann::json::parse(read_data(path("expected.json"))); }

  /// Both voices in the order of time; the log's lines `late` seconds after the second that they carry.
  void play(Voices& voices, const char* transcript, const char* log, double late) const {
    std::vector<std::pair<double, std::string>> lines;
    const LogClock clock = LogClock::assume_utc();
    double second = 0;
    if (log != nullptr) {
      std::istringstream in(read_data(path(log)));
      for (std::string line; std::getline(in, line);) {
        if (const auto time = split_head(line).time()) second = to_unix_seconds(*clock.resolve(*time));
        lines.emplace_back(second + late, line);
      }
    }
    auto next = lines.begin();
    for (const auto& line : read_transcript(path(transcript))) {
      for (; next != lines.end() && next->first <= line.at; ++next) voices.log(next->second, next->first);
      voices.management(line);
    }
    for (; next != lines.end(); ++next) voices.log(next->second, next->first);
  }
  static nlohmann::json by_reason(const TunnelState& state) {
    std::map<std::string, std::uint64_t> sums;
    for (std::size_t r = 0; r < kReasons; ++r)
      for (const auto n : state.reconnects[r])
        if (n > 0) sums[std::string(name(static_cast<Reason>(r)))] += n;
    return sums;
  }
  void expect_client(const TunnelState& state, const std::string& what) const {
    const auto client = expected()["client"];
    EXPECT_EQ(by_reason(state), client["reconnects_by_reason"]) << what;
    EXPECT_EQ(state.sessions, client["sessions"]) << what;
    EXPECT_EQ(state.handshakes_completed, client["handshakes_completed"]) << what;
    EXPECT_EQ(state.handshakes_failed, GetParam().handshakes_failed) << what;
    EXPECT_EQ(state.handshakes_started, state.handshakes_completed + state.handshakes_failed) << what;
    EXPECT_EQ(state.soft_resets, client["soft_resets"]) << what;
    EXPECT_EQ(state.endpoint_changes, 0u) << what;
    EXPECT_EQ(state.session_durations.count(), client["sessions"]) << what;
    EXPECT_EQ(state.keepalive_ping, std::chrono::seconds(2)) << what;
    EXPECT_EQ(state.role, Role::client) << what;
    EXPECT_EQ(state.state, State::exiting) << what;
    EXPECT_EQ(state.reconnect_count(Reason::signal, From::connected), 1u) << what;
    EXPECT_EQ(state.reconnect_count(Reason::ping_restart, From::connected), GetParam().silences) << what;
  }
};

TEST_P(Transcripts, TheClientsManagementAloneGivesItsCounts) {
  Voices v;
  play(v, "c.mgmt", nullptr, 0);
  expect_client(v.tracker.state(), "management alone");
  EXPECT_EQ(v.asked["state on all\n"], 1);
}

TEST_P(Transcripts, TheClientsTwoVoicesCountOnceWhicheverIsFirst) {
  for (const double late : {0.0, 0.3, 1.0, 2.5}) {
    Voices v;
    play(v, "c.mgmt", "c.log", late);
    expect_client(v.tracker.state(), "log later by " + std::to_string(late));
  }
}

// The client's first arrival was before the recorder attached, and its transcript ends when the server was
// killed, the first of the marks that concern the server.
TEST_P(Transcripts, TheServersManagementAloneGivesWhatHappenedBeforeItWasKilled) {
  Voices v;
  play(v, "s.mgmt", nullptr, 0);
  const auto one = expected()["server"]["clients"]["client-one"];
  const auto* client = v.tracker.clients().find("client-one");
  ASSERT_NE(client, nullptr);
  std::uint64_t before_kill = 0;
  for (const auto& line : read_transcript(path("s.mgmt")))
    before_kill += line.text.find("Peer Connection Initiated") != std::string::npos ? 1 : 0;
  ASSERT_GE(before_kill, 3u);
  EXPECT_EQ(client->arrivals, before_kill);
  EXPECT_TRUE(client->is_at(one["endpoints"][before_kill].get<std::string>()));
  EXPECT_EQ(v.tracker.state().reconnect_count(Reason::new_session, From::other), before_kill)
      << "the server dropped an older session of it at its first arrival here";
  EXPECT_EQ(v.tracker.state().endpoint_changes, before_kill);
  EXPECT_EQ(v.tracker.state().role, Role::server);
  EXPECT_EQ(v.tracker.state().state, State::connected);
}

TEST_P(Transcripts, TheServersTwoVoicesCountOnceWhicheverIsFirst) {
  for (const double late : {0.0, 0.3, 1.0, 2.5}) {
    Voices v;
    play(v, "s.mgmt", "s.log", late);
    const auto one = expected()["server"]["clients"]["client-one"];
    const TunnelState& state = v.tracker.state();
    const std::uint64_t arrivals = one["arrivals"];
    EXPECT_EQ(state.sessions, arrivals) << late;
    EXPECT_EQ(state.reconnect_count(Reason::new_session, From::other), arrivals - 1) << late;
    EXPECT_EQ(state.endpoint_changes, one["endpoint_changes"]) << late;
    EXPECT_TRUE(v.tracker.clients().find("client-one")->is_at(one["endpoints"].back().get<std::string>()))
        << late;
  }
}

// At the first of the marks the data channel lost its way back. The recorder did not ask for the log's
// history, so the keepalive is known from the second session on.
TEST_P(Transcripts, TheLoopIsToldWithinThreePingsOfTheLastPacketInTheNextSession) {
  std::istringstream marks(read_data(path("marks")));
  double one_way = 0;
  marks >> one_way;
  double loop = 0;
  double heard = 0;
  Voices v;
  for (const auto& line : read_transcript(path("c.mgmt"))) {
    v.management(line);
    const auto now = Voices::at(line.at);
    if (const auto silence = v.traffic.silence(now.mono))
      v.history.observe(v.tracker.state(), *silence, now.wall);
    const auto found = v.history.diagnose(v.tracker.state(), now.wall).diagnosis;
    if (found == Diagnosis::one_way_loop && loop == 0) {
      loop = line.at;
      heard = to_unix_seconds(*v.traffic.last_received());
    }
    if (line.at < one_way) {
      EXPECT_EQ(found, Diagnosis::unknown);
    }
  }
  ASSERT_GT(loop, 0);
  EXPECT_EQ(v.tracker.state().sessions, v.tracker.state().handshakes_completed);
  EXPECT_LT(loop - heard, 3 * 2 + 2) << "three pings, and the moment of the next counters";
  EXPECT_LT(loop - one_way, 18);
}

INSTANTIATE_TEST_SUITE_P(All, Transcripts,
                         testing::Values(Transcript{"v2.4.12", 3, 6}, Transcript{"v2.6.22", 3, 6},
                                         Transcript{"v2.7.6-udp6", 2, 5}),
                         [](const auto& version) {
                           std::string text = version.param.name;
                           for (char& c : text)
                             if (c == '.' || c == '-') c = '_';
                           return text;
                         });

}  // namespace
}  // namespace ue::openvpn
