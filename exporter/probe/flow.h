#pragma once
#include <array>
#include <optional>
#include <vector>

#include "probe/types.h"

namespace ue::probe {

/// One probe that is not settled yet.
struct Pending {
  std::uint32_t sequence = 0;
  FlowKind kind = FlowKind::steady;  ///< as it was counted when it was sent
  Instant sent{};
  WallTime sent_wall{};            ///< corrected by the kernel's transmit timestamp where there is one
  Nanos clock_offset{};            ///< wall minus monotonic when it was sent: tells a clock step
  std::uint32_t run_position = 0;  ///< as a loss: how many in a row before it were lost too
  bool names_session = false;      ///< a reflector that does not know the session yet counts it all the same
  bool missing = false;            ///< the loss time-out has passed
  bool answered = false;
  std::uint32_t reflector_sequence = 0;  ///< of the answer
};

/// One STAMP session on one source port: what was sent, what is missing, how old it was when it was last
/// answered. Passive; owned by PathProber, which decides when to send; Settlement empties `pending`.
class Flow {
 public:
  Flow(FlowHandle named, std::uint64_t wire_id, std::uint16_t session_id, Role first_role, Instant now)
      : handle(named), flow_id(wire_id), ssid(session_id), role(first_role), opened(now) {}

  const FlowHandle handle;
  const std::uint64_t flow_id;  ///< on the wire
  const std::uint16_t ssid;
  Role role;
  const Instant opened;
  bool open = true;              ///< has a socket
  Instant next_send{};           ///< Instant::max() where nothing more is to be sent
  std::size_t step = 0;          ///< place in the schedule of a fresh flow
  std::vector<Pending> pending;  ///< in the order of sending

  FlowKind kind() const {
    return role == Role::fresh || role == Role::trial ? FlowKind::fresh : FlowKind::steady;
  }
  Nanos age(Instant now) const { return now - opened; }

  /// Takes the next sequence number.
  std::uint32_t record_sent(const Now& now, bool names_session);
  /// Corrects the time of sending by the kernel's transmit timestamp.
  void record_transmit_time(std::uint32_t sequence, WallTime when);

  enum class Arrival : std::uint8_t { answered, duplicate, settled, never_sent };
  struct Answer {
    Arrival arrival = Arrival::never_sent;
    std::optional<Nanos> rtt;          ///< absent where the clock was stepped in between
    std::uint32_t ended_run = 0;       ///< losses in a row that this answer ended
    FlowKind kind = FlowKind::steady;  ///< as the probe was counted
    Instant sent{};
  };
  Answer record_answer(std::uint32_t sequence, std::uint32_t reflector_sequence, const Now& now,
                       WallTime received);

  /// Marks what is older than `timeout` as missing; returns how many became so.
  std::uint32_t expire(Instant now, Nanos timeout);
  /// When expire() next has something to do; Instant::max() where nothing is waited for.
  Instant next_expiry(Nanos timeout) const {
    return undecided_ == Instant::max() ? undecided_ : undecided_ + timeout;
  }

  std::uint32_t sent() const { return next_sequence_; }
  std::uint64_t answers() const { return answers_; }
  std::uint32_t loss_run() const { return loss_run_; }      ///< missing since the newest answered probe
  std::uint32_t answer_run() const { return answer_run_; }  ///< answered since the newest loss
  std::uint32_t resolved() const { return resolved_; }      ///< answered or missing
  /// Age at which the newest answered probe was sent; nothing before the first answer.
  std::optional<Nanos> answered_age() const { return answered_age_; }
  /// When, and at what age, the first probe of the present loss run was sent.
  std::optional<Instant> first_loss() const { return first_loss_; }
  std::optional<Nanos> dead_age() const;
  /// When the newest probe that went missing was sent.
  std::optional<Instant> newest_missing() const { return newest_missing_; }
  std::optional<std::uint32_t> highest_answered() const { return highest_answered_; }
  /// Nothing for one that was never sent, or is not among the newest kRemembered.
  std::optional<Instant> sent_at(std::uint32_t sequence) const;
  static constexpr std::uint32_t kRemembered = 40;

 private:
  /// The first probe whose number is at least `sequence`.
  std::vector<Pending>::iterator from(std::uint32_t sequence);
  std::vector<Pending>::const_iterator from(std::uint32_t sequence) const;
  void lose(Pending& probe);
  std::vector<Pending>::iterator find_undecided();

  std::uint32_t next_sequence_ = 0;
  /// When the first that is neither answered nor missing was sent; Instant::max() where there is none. Where
  /// such ones were taken out of `pending` it is too early, until the next expire().
  Instant undecided_ = Instant::max();
  std::uint64_t answers_ = 0;
  std::optional<std::uint32_t> highest_answered_;
  std::optional<Nanos> answered_age_;
  std::optional<Instant> first_loss_;
  std::optional<Instant> newest_missing_;
  std::uint32_t loss_run_ = 0;
  std::uint32_t answer_run_ = 0;
  std::uint32_t resolved_ = 0;
  std::array<Instant, kRemembered> sent_at_{};  ///< by sequence, in turn
};

}  // namespace ue::probe
