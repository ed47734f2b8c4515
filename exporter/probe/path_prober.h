#pragma once
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "base/address.h"
#include "probe/asking.h"
#include "probe/delivery.h"
#include "probe/fresh_history.h"
#include "probe/inquest.h"
#include "probe/loss_alarm.h"
#include "probe/loss_model.h"
#include "probe/mapping_watch.h"
#include "probe/packets.h"
#include "probe/rtt.h"
#include "probe/settlement.h"

namespace ue::probe {

/// What a path shows at one moment. An absent bool is "not known".
struct Observation {
  std::optional<bool> steady;
  std::optional<bool> fresh;
  std::optional<bool> forward;
  std::optional<bool> lossy;
  std::optional<bool> tcp;
  std::optional<bool> attributable;
  Successors successors = Successors::unknown;
  bool recovered = false;
  LossWindow::Totals window;
  std::uint32_t losses_in_a_row = 0;
  std::uint32_t losses_needed = 0;
  std::uint32_t delivered_unanswered = 0;
  std::uint32_t dead_fresh_flows = 0;
  std::optional<Nanos> dies_at_age;
  std::optional<Nanos> outlived_age;
  std::optional<Nanos> rtt;
  std::optional<Instant> last_reply;    ///< on any flow
  std::optional<Instant> silent_since;  ///< when the first probe of the steady flow's loss run was sent
};

/// What the agent has concluded from the observation, fed back: it sets the pace.
enum class Standing : std::uint8_t { fine, trouble, no_return };

/// How an attempt to ask the reflector over TCP ended.
struct AskOutcome {
  Instant asked{};
  bool own = false;                          ///< an authenticated answer came through this uplink
  std::optional<stamp::QueryAnswer> answer;  ///< through this or another uplink
  bool telling = true;                       ///< false: no answer, and none was to be expected
};

/// The Session-Sender of one path (uplink and reflector): opens flows, sends probes, settles them, and says
/// what they show. Passive and single-threaded: its shell owns sockets and clocks, calls advance() no later
/// than wake_at() and carries out take_actions() after every call. It never reads a clock, and never sends
/// more than one packet per 3 s while the standing is no_return (RFC 8085 §3.1.1).
class PathProber {
 public:
  PathProber(Settings settings, RandomSource random);

  void start(const Now& now);
  /// The sockets must be rebuilt (address or interface changed, the machine slept): all flows end, the window
  /// is void.
  void restart(const Now& now);
  void stop(const Now& now);

  void advance(const Now& now);
  Instant wake_at() const;
  bool has_actions() const { return !actions_.empty(); }
  /// `room`: see hand_out().
  std::vector<Action> take_actions(std::vector<Action> room = {}) {
    return hand_out(actions_, std::move(room));
  }

  /// `from_reflector`: the source is the reflector's own endpoint; anything else is counted as foreign.
  void on_datagram(const Now& now, FlowHandle flow, ByteView datagram, bool from_reflector,
                   WallTime received);
  void on_transmitted(FlowHandle flow, std::uint32_t sequence, WallTime when);
  void on_asked(const Now& now, const AskOutcome& outcome);
  void set_standing(const Now& now, Standing standing);

  /// Every other packet of the paced regime (standing no_return) leaves room for one of somebody else's.
  void lend_slots(bool lending) { lending_ = lending; }
  /// Such a moment has come; it is over with the next advance().
  bool take_lent_slot() { return std::exchange(lent_, false); }
  /// The port on which replies stopped; nothing while none did, or it is gone.
  std::optional<FlowHandle> silent_flow() const;

  Observation observe(Instant now) const;
  const FlowCounters& counters(FlowKind kind) const { return settlement_.counters(kind); }
  const Rtt& rtt() const { return rtt_; }
  /// K of the error budget: so many losses in a row are no chance.
  std::uint32_t losses_needed() const { return losses_.losses_needed(); }
  std::uint64_t instance_id() const { return settlement_.instance_id(); }
  const std::map<std::string, std::uint64_t>& refused() const { return refused_; }
  const MappingWatch& mapping() const { return mapping_; }
  std::size_t open_flows() const;

 private:
  Flow& open(const Now& now, Role role);
  void close(Flow& flow);
  void close_role(Role role);
  void send(const Now& now, Flow& flow);
  void send_due(const Now& now);
  void send_paced(const Now& now);
  void schedule_next(const Now& now, Flow& flow);
  std::uint32_t losses_in_doubt() const;
  Nanos steady_interval(const Flow& flow) const;
  Nanos successor_interval(const Flow& flow, Instant now) const;
  Flow* find(FlowHandle handle) { return find_flow(flows_, handle); }
  Flow* steady() { return find(steady_); }
  const Flow* steady() const { return find_flow(flows_, steady_); }
  Flow* of_role(Role role) const;  ///< an open one

  void expire(const Now& now);
  void record_losses(std::uint32_t ended_run);
  void assess(const Now& now);
  void begin_inquest(const Now& now, Instant since, Nanos predecessor_age);
  void end_inquest();
  void promote_successor(const Now& now);
  void ask_if_due(const Now& now);
  void take_answer(const Now& now, const AskOutcome& outcome);
  void remember_arrival(Instant now);
  Asking::Need asking_need() const;
  void sweep(const Now& now);
  bool steady_dead() const;
  /// Losses in a row on the steady flow that begin an inquest: three, more where loss is what it always does.
  std::uint32_t suspicious() const { return dying(losses_.losses_needed()); }
  bool may_be_burst() const;
  Nanos least_silence() const;
  bool tcp_alone_works() const;
  std::optional<bool> steady_answered(bool witnessed) const;
  std::optional<bool> forward(Instant now) const;
  std::optional<bool> attributable(Instant now, std::optional<bool> forward) const;
  bool nobody_answers(Instant now) const;
  bool nothing_passes(Instant now) const;
  Nanos jitter(Nanos interval);

  Settings settings_;
  RandomSource random_;
  std::vector<Action> actions_;
  Flows flows_;
  FlowHandle next_handle_ = 1;
  FlowHandle steady_ = 0;
  bool running_ = false;
  bool unsettled_ = false;  ///< probes wait to be attributed
  Standing standing_ = Standing::fine;

  Rtt rtt_;
  LossModel losses_;
  LossAlarm forward_alarm_;
  LossAlarm return_alarm_;
  LossAlarm unattributed_alarm_;
  LossWindow window_;
  Settlement settlement_;
  std::vector<Settlement::Settled> settled_;  ///< what was taken from it last
  FreshHistory history_;
  Delivery delivery_;
  Asking asking_;
  std::optional<Inquest> inquest_;

  Instant started_{};
  Instant fine_since_{};                    ///< what was sent before is no measure of loss
  std::deque<Instant> newest_lost_;         ///< when the last few probes that went missing were sent
  std::uint32_t lost_everywhere_ = 0;       ///< in a row, over all flows, since the newest answer on any
  std::optional<Instant> newest_answered_;  ///< when the newest answered probe was sent
  Instant next_fresh_{};
  Instant next_sweep_{};
  Instant next_burst_{};
  Instant next_paced_{};
  Instant burst_ready_{};  ///< the next confirmation burst may begin from here on
  std::uint32_t burst_left_ = 0;
  std::uint32_t paced_slot_ = 0;
  std::uint32_t trial_slot_ = 0;
  bool lending_ = false;
  bool lent_ = false;
  bool lent_last_ = false;  ///< the newest slot was lent
  Instant witness_until_{};
  std::optional<Instant> silent_since_;  ///< the steady flow is concluded dead since
  std::optional<Instant> last_reply_;
  std::optional<Instant> arrival_told_;  ///< when the far end last proved it; nothing since denies it
  std::map<std::string, std::uint64_t> refused_;
  MappingWatch mapping_;
};

}  // namespace ue::probe
