#pragma once
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "agent/path_evidence.h"
#include "probe/hold_ladder.h"
#include "probe/path_prober.h"
#include "probe/size_check.h"
#include "sim/agenda.h"
#include "sim/loss_record.h"
#include "sim/model_reflector.h"
#include "sim/per_flow.h"
#include "verdict/judge.h"

/// Virtual time for one path: the real prober, evidence and judge against a modelled link, NAT and reflector.
namespace ue::sim {

inline constexpr WallTime kEpoch{Nanos(1'790'000'000'000'000'000)};  ///< September 2026

/// One UDP packet at the NAT.
struct Packet {
  probe::FlowHandle flow = 0;  ///< stands for the source port
  bool outward = true;
  Instant now{};          ///< time of the world, which goes on while the gateway sleeps
  Nanos since_first{};    ///< since the NAT first saw this flow
  Nanos since_outward{};  ///< since its newest packet out, before this one
};

/// Whether a packet passes; behaviours may keep state.
using Behaviour = std::function<bool(const Packet&)>;

/// One direction of the link. Losses are drawn independently of the behaviour.
struct Link {
  double loss = 0;
  /// Gilbert's model, by packet: chance to enter and to leave the state in which everything is lost.
  double burst_begins = 0;
  double burst_ends = 1;
  /// Bursts by time, in which everything is lost: how often, in the mean, and how long at most.
  Nanos burst_every{};
  Nanos burst_longest{};
  Nanos delay = std::chrono::milliseconds(20);
  Nanos jitter{};                  ///< uniform, on top; may reorder
  double straggler = 0;            ///< chance of a further 900 ms
  double duplicate = 0;            ///< chance to arrive twice
  Behaviour passes;                ///< empty: everything does
  std::size_t largest = SIZE_MAX;  ///< octets of UDP payload; more is lost
  bool tells_largest = false;      ///< by ICMP, to the gateway
  bool in_burst = false;
  Instant next_burst{};
  Instant burst_until{};
};

/// The way of the questions.
struct Tcp {
  bool own = true;     ///< works through this uplink
  bool other = false;  ///< works through another one
  Nanos round_trip = std::chrono::milliseconds(120);
};

struct Change {
  Nanos at{};  ///< since the start
  verdict::Verdict verdict = verdict::Verdict::unknown;
  std::string why;
};

struct Sent {
  Nanos at{};
  probe::FlowHandle flow = 0;
  std::uint32_t sequence = 0;
};

/// What crossed the gateway's interface, in octets with IP and UDP or TCP headers.
struct Octets {
  std::uint64_t probes = 0;  ///< of the steady and fresh flows
  std::uint64_t ladder = 0;
  std::uint64_t size = 0;
  std::uint64_t questions = 0;  ///< over TCP: the messages as they are, segments and HTTP's headers estimated
  std::uint64_t all() const { return probes + ladder + size + questions; }
};

/// What really became of the probes.
struct Truth {
  std::uint64_t sent = 0;
  std::uint64_t lost_outward = 0;
  std::uint64_t lost_inward = 0;
};

/// Deterministic: the same options and script give the same run. No clock, no thread, no socket.
class VirtualPath {
 public:
  struct Options {
    std::uint64_t seed = 1;
    bool authenticated = true;
    probe::Settings settings = {};
    agent::PathContext context = {};
    std::vector<Nanos> holds = {};  ///< of a hold ladder; always authenticated
    Nanos ladder_interval = std::chrono::minutes(5);
    bool trusting = false;  ///< the reflector, of the ladder's signatures: for who plays years
  };
  explicit VirtualPath(Options options);
  explicit VirtualPath(std::uint64_t seed);

  Link out;
  Link back;
  Tcp tcp;
  agent::PathContext context;
  /// Which reflector behind the one address gets a flow's packets, and which the questions.
  std::function<std::size_t(const Packet&)> balance;
  std::size_t asked_instance = 0;
  /// A SizeCheck runs beside the prober. Its packets, as those of the ladder, are not in sent() and truth().
  bool checks_size = false;
  /// Questions and answers pass through their JSON, as on the wire, and octets() tells what they weigh.
  bool writes_questions = false;

  std::size_t add_reflector(std::uint64_t instance_id);
  ModelReflector& reflector(std::size_t i = 0) { return reflectors_[i]; }

  /// Calls `action` at that time since the start, or every so often from now on.
  void at(Nanos time, std::function<void()> action);
  void every(Nanos period, std::function<void()> action);
  /// Ends what every() began.
  void end_repeating() { ++repeating_; }
  void run_until(Nanos time);
  void run_for(Nanos time) { run_until(elapsed() + time); }

  // Events of the world, to be called from a script.
  void step_clock(Nanos by) { wall_offset_ += by; }
  void suspend(Nanos time);
  void restart();
  /// The NAT gives every flow another external port; replies on the way to the old ones are lost.
  void rebind() { ++binding_; }
  /// Nothing passes, UDP or TCP, from now on; or again.
  void cut(bool cut) { cut_ = cut; }
  double chance() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

  Nanos elapsed() const { return world_ - begin_; }
  Now now() const;
  const std::vector<Change>& changes() const { return changes_; }
  const std::vector<Sent>& sent() const { return sent_; }
  const Truth& truth() const { return truth_; }
  verdict::Verdict verdict() const { return judge_.verdict(); }
  verdict::Conclusion conclusion() const;
  /// What was lost of the packets that were sent, by direction and for whatever reason.
  const LossRecord& losses_out() const { return losses_out_; }
  const LossRecord& losses_back() const { return losses_back_; }
  const probe::SizeCheck& size_check() const { return size_; }
  const probe::HoldLadder& ladder() const { return *ladder_; }
  const Octets& octets() const { return octets_; }
  std::uint64_t packet_events() const { return packet_events_; }  ///< packets sent, arrived and come back
  std::size_t most_open() const { return most_open_; }            ///< flows at once, of every kind
  const std::vector<Nanos>& ports() const { return ports_; }      ///< when each flow was opened
  const probe::PathProber& prober() const { return prober_; }
  probe::PathProber& prober() { return prober_; }
  probe::Observation observe() const { return prober_.observe(now().mono); }
  /// Sum over both kinds.
  probe::FlowCounters counters() const;
  /// When `v` was first concluded at or after `from`.
  std::optional<Nanos> first(verdict::Verdict v, Nanos from = {}) const;
  /// When the first probe was sent whose reply did not pass.
  std::optional<Nanos> first_lost_reply() const { return first_lost_reply_; }
  /// The age at which each flow sent its newest probe that was answered before `time`.
  std::map<probe::FlowHandle, Nanos> answered_ages(Nanos time) const;
  /// When a flow sent its first probe.
  Nanos opened(probe::FlowHandle flow) { return flows_[flow].opened.value(); }
  std::uint64_t questions() const { return questions_; }
  bool counters_monotone() const { return monotone_; }
  /// No part that was not called has changed its mind: what is remembered of each is what it would say.
  bool remembers_truly() const;
  /// One line a change, for messages.
  std::string story() const;

 private:
  /// A packet on the way.
  struct OnTheWay {
    bool outward = true;
    probe::FlowHandle flow = 0;
    std::uint64_t binding = 0;  ///< of the NAT when the reply was sent
    Instant sent{};             ///< the probe
    Bytes packet;
  };
  struct Flow {
    bool open = false;
    std::optional<Nanos> opened;  ///< when its first probe was sent
    std::optional<Instant> first;
    Instant last_outward{};
  };
  /// When each of the gateway's parts wants to be woken, in the world's time.
  struct Wakes {
    Instant prober = Instant::max();
    Instant size = Instant::max();
    Instant ladder = Instant::max();
    Instant first() const { return std::min({prober, size, ladder}); }
    bool operator==(const Wakes&) const = default;
  };
  static constexpr unsigned kProber = 1;
  static constexpr unsigned kSize = 2;
  static constexpr unsigned kLadder = 4;
  static constexpr unsigned kEverything = kProber | kSize | kLadder;
  void touch(unsigned parts) {
    touched_ |= parts;
    changed_ |= parts;
  }
  void schedule(Instant when, std::function<void()> action);
  bool happen(OnTheWay packet);
  void wake();
  const Wakes& wakes();
  void ask(unsigned parts, Wakes& wakes) const;
  void carry_out();
  void judge();
  void run(std::vector<probe::Action>& actions);
  void open(probe::FlowHandle flow);
  void send(probe::SendProbe& probe);
  bool too_big(const probe::SendProbe& probe);
  void advance_others(const Now& at, bool size, bool ladder);
  void allow_others(const Now& at, const probe::Observation& o);
  void arrive(OnTheWay& packet);
  void come_back(const OnTheWay& packet);
  std::uint64_t& octets_of(probe::FlowHandle flow);
  static bool counted(probe::FlowHandle flow);
  struct Question {
    Instant asked;
    std::vector<std::uint64_t> flows;
    Instant give_up;
    bool own = true;
  };
  void ask(const probe::AskReflector& ask);
  void try_question(Question question, Nanos retry);
  stamp::QueryAnswer written(const stamp::QueryAnswer& answer, const Question& question);
  void answered(const probe::AskOutcome& outcome);
  bool crosses(Link& link, const Packet& packet);
  bool in_timed_burst(Link& link);
  Nanos travel(const Link& link);
  Packet packet(probe::FlowHandle handle, Flow& flow, bool outward);
  void check_counters();

  /// Knuth's: its high bits, which alone are used, are good, and a packet needs several.
  std::linear_congruential_engine<std::uint64_t, 6364136223846793005, 1442695040888963407, 0> random_;
  std::mt19937_64 prober_random_;
  std::optional<probe::Identity> identity_;
  probe::PathProber prober_;
  probe::SizeCheck size_;
  std::optional<probe::HoldLadder> ladder_;
  verdict::Judge judge_;
  std::vector<ModelReflector> reflectors_;
  ModelReflector holding_;  ///< the same reflector, as the ladder's authenticated sessions see it
  Agenda<OnTheWay> packets_;
  Agenda<std::function<void()>> script_;
  Wakes wakes_;
  std::vector<probe::Action> actions_;
  Bytes room_;                      ///< for the next reply
  unsigned touched_ = kEverything;  ///< parts that were called since their wake-up was asked for
  unsigned changed_ = kEverything;  ///< ... since the last judgement
  probe::Observation observed_[2];  ///< what last spoke for the verdict, and room for the next
  std::size_t supporting_ = 0;      ///< the former's place
  Instant begin_;
  Instant world_;
  Nanos suspended_{};
  Nanos wall_offset_{};
  bool asleep_ = false;
  std::vector<std::function<void()>> awake_;  ///< what could not be delivered before
  bool cut_ = false;
  std::uint64_t binding_ = 0;
  std::uint64_t repeating_ = 0;
  Instant next_judgement_{};
  bool working_ = false;
  PerFlow<Flow> flows_;
  std::size_t open_flows_ = 0;
  std::vector<Change> changes_;
  std::vector<Sent> sent_;
  LossRecord losses_out_;
  LossRecord losses_back_;
  struct Answered {
    Nanos at;
    probe::FlowHandle flow;
    Nanos age;
  };
  std::vector<Answered> answered_;  ///< of flows older than 20 s, while there is no return
  Truth truth_;
  std::optional<Nanos> first_lost_reply_;
  std::uint64_t questions_ = 0;
  Octets octets_;
  std::uint64_t packet_events_ = 0;
  std::size_t most_open_ = 0;
  std::vector<Nanos> ports_;
  probe::FlowCounters last_[2];
  bool monotone_ = true;
};

}  // namespace ue::sim
