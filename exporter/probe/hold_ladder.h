#pragma once
#include <array>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "probe/hold_rung.h"
#include "probe/response_port.h"

namespace ue::probe {

/// Measures how long a NAT keeps a mapping, with replies that the reflector holds back: batches of rungs in
/// parallel, each on its own fresh port, with control rungs before and after. A batch whose controls fail is
/// void. Runs the full set at the start, on a change and every six hours; in between it only looks whether
/// the known brackets still stand. Only for authenticated sessions, or STUN servers. Passive; its shell
/// treats its actions as those of PathProber and tells the two apart by owns().
class HoldLadder {
 public:
  struct Settings {
    std::vector<Nanos> holds;  ///< ascending, each at most 600 s
    Nanos interval = std::chrono::minutes(5);
    Identity identity;
    std::size_t most_flows = kMostFlows;  ///< that it may have open at once
    /// Pause for each port of a batch. A subscriber may own 240 of them: 86 in five minutes at most.
    static constexpr Nanos kPerPort = std::chrono::milliseconds(3500);
    Nanos per_port = kPerPort;
    /// The far end is a STUN server, asked by RESPONSE-PORT: only `exchange` and `stream` can be measured.
    bool stun = false;
    /// There is a minute in all: what fails twice is not tried for longer, and proven in two batches.
    bool hasty = false;
  };
  struct Count {
    std::uint64_t probes = 0;
    std::uint64_t replies = 0;
  };
  using Counts = std::map<std::pair<Pattern, Nanos>, Count>;

  HoldLadder(Settings settings, RandomSource random);

  /// Flow handles of a ladder; those of PathProber are smaller.
  static bool owns(FlowHandle flow) { return (flow & kFirstHandle) != 0; }

  /// Whether the path works, so that missing replies mean something. Ends what is under way where it does
  /// not.
  void set_allowed(const Now& now, bool allowed);
  /// Others need the room that its flows take: the batch under way goes on, none begins.
  void hold_off(bool others_first) { held_off_ = others_first; }
  bool held_off() const { return held_off_; }
  bool running() const { return running_; }
  /// Flows that are open.
  std::size_t open_rungs() const;
  /// No batch is begun meanwhile: others need its flows.
  void set_paused(bool paused) { paused_ = paused; }
  /// The sockets must be rebuilt, or another network may be behind them: what is known is void.
  void restart(const Now& now);
  void advance(const Now& now, const PathState& path);
  Instant wake_at() const;
  bool has_actions() const { return !actions_.empty(); }
  /// `room`: see hand_out().
  std::vector<Action> take_actions(std::vector<Action> room = {}) {
    return hand_out(actions_, std::move(room));
  }
  void on_datagram(const Now& now, FlowHandle flow, ByteView datagram, bool from_reflector);

  const MappingLifetime& lifetime(Pattern p) const { return lifetimes_[static_cast<std::size_t>(p)]; }
  const std::vector<Nanos>& holds() const { return settings_.holds; }
  /// Of the configured holds only; every one only grows.
  const Counts& counts() const { return counts_; }
  /// The stream's bracket is there, and no chance.
  bool stream_known() const {
    const auto b = lifetime(Pattern::stream).bracket();
    return b && (!b->upper || b->proven(path_.losses_needed));
  }
  std::uint64_t void_batches() const { return void_batches_; }
  /// The reflector answered at once where it was asked to hold: nothing can be measured.
  bool refused() const { return refused_; }

  /// Of 20 on an uplink; a prober has nine at most while it is healthy, a size check one.
  static constexpr std::size_t kMostFlows = 10;
  static constexpr std::size_t kMostRungs = 17;  ///< ports of a batch; they go in waves

 private:
  static constexpr FlowHandle kFirstHandle = 0x80000000;
  struct Plan {
    Pattern pattern;
    Nanos hold;
  };
  using Batch = std::vector<Plan>;
  /// The stream last: what is planned last is done first.
  static constexpr Pattern kPlanned[] = {Pattern::active, Pattern::inbound, Pattern::exchange,
                                         Pattern::solitary, Pattern::stream};

  MappingLifetime& lifetime(Pattern p) { return lifetimes_[static_cast<std::size_t>(p)]; }
  /// Only these two say something about a tunnel, or about anybody's keepalive: what could be chance is tried
  /// again.
  static bool matters(Pattern p) { return p == Pattern::stream || p == Pattern::solitary; }
  void plan_full_set();
  void plan_pattern(Pattern p);
  bool plan_refinement(Pattern p);
  bool plan_confirmation(Pattern p);
  bool plan_check();
  Nanos needed_hold() const;
  void begin(const Now& now);
  void open_due(const Now& now);
  void open(const Now& now, const Plan& plan);
  void drop_hopeless();
  void send(const Now& now, HoldRung& rung);
  void close(HoldRung& rung);
  HoldRung* running_rung(FlowHandle flow);
  void hear(const Now& now, HoldRung& rung, std::uint32_t sequence, Nanos held);
  void abandon();
  void step(const Now& now);
  void finish(const Now& now);
  bool record_outcomes();
  Nanos after_voids() const;
  void pause_after_void(const Now& now);
  void follow_up(const Now& now, Pattern p);
  Nanos random_up_to(Nanos longest);
  Nanos grace() const;

  Settings settings_;
  RandomSource random_;
  std::vector<Action> actions_;
  std::array<MappingLifetime, std::size(kPatterns)> lifetimes_;
  std::array<std::optional<MappingLifetime::Bracket>, std::size(kPatterns)> known_;  ///< no chance
  Counts counts_;
  std::deque<Batch> planned_;

  FlowHandle next_handle_ = kFirstHandle;
  Batch batch_;  ///< the one under way, as it was planned
  std::deque<Plan> unopened_;
  ResponsePort asker_;
  std::vector<HoldRung> rungs_;            ///< of the batch under way
  std::map<Pattern, Nanos> contradicted_;  ///< what was known to come back and did not
  std::uint32_t batch_number_ = 0;
  int confirmations_ = 0;     ///< batches in a row
  int voids_ = 0;             ///< batches in a row
  bool fell_silent_ = false;  ///< a rung, since the last look at which are hopeless
  bool closing_ = false;      ///< the last control is out
  bool running_ = false;
  bool allowed_ = false;
  bool paused_ = false;
  bool refused_ = false;
  bool held_off_ = false;
  PathState path_;
  Instant forbidden_since_{};
  Instant next_open_{};
  Instant next_batch_{};
  Instant next_full_{};
  std::uint64_t void_batches_ = 0;
};

}  // namespace ue::probe
