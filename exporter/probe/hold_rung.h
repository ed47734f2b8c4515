#pragma once
#include <optional>
#include <vector>

#include "probe/mapping_lifetime.h"
#include "probe/packets.h"

namespace ue::probe {

/// One rung of the hold ladder: a fresh port, some traffic, silence, and the question whether a reply still
/// comes through. A hold of zero makes it a control: does a fresh port work at all? Passive; owned by
/// HoldLadder, which owns the socket's name and says when.
class HoldRung {
 public:
  enum class Outcome : std::uint8_t {
    running,
    came_back,
    silent,  ///< the held reply did not come
    no_say,  ///< nothing was answered before the silence, or the reflector would not hold: says nothing
  };

  HoldRung(Pattern pattern, Nanos hold, FlowHandle flow, std::uint64_t flow_id, std::uint16_t ssid,
           Instant begin);

  Pattern pattern() const { return pattern_; }
  Nanos hold() const { return hold_; }
  FlowHandle flow() const { return flow_; }
  std::uint64_t flow_id() const { return flow_id_; }
  std::uint16_t ssid() const { return ssid_; }
  bool control() const { return hold_ == Nanos::zero(); }
  Outcome outcome() const { return outcome_; }
  /// Others have told what this one would.
  void give_up() { outcome_ = Outcome::no_say; }

  struct Packet {
    std::uint32_t sequence;
    Nanos hold;
    bool suppress;
    bool
        naming;  ///< until an answer shows that the reflector knows the session, and where something is asked
  };
  /// What is to be sent by now, one by one; each is handed out once.
  std::optional<Packet> next_due(Instant now);
  /// Ends the rung where nothing can come any more; `grace` on top of the hold, at least the loss time-out.
  void expire(Instant now, Nanos grace);
  void on_reply(std::uint32_t sequence, Nanos held);
  Instant wake_at(Nanos grace) const {
    if (outcome_ != Outcome::running) return Instant::max();
    return next_ < steps_.size() ? begin_ + steps_[next_].at : deadline(grace);
  }

  /// The longest hold that this pattern is asked for: trains and streams of packets are bounded.
  static Nanos longest(Pattern pattern);

 private:
  void ask_twice(Nanos at, Nanos hold);
  static constexpr std::size_t kUsualSteps = 8;
  struct Step {
    Nanos at;
    Nanos hold;
    bool suppress;
  };
  Instant deadline(Nanos grace) const { return begin_ + steps_.back().at + steps_.back().hold + grace; }

  Pattern pattern_;
  Nanos hold_;
  FlowHandle flow_;
  std::uint64_t flow_id_;
  std::uint16_t ssid_;
  Instant begin_;
  std::vector<Step> steps_;
  std::size_t next_ = 0;
  bool answered_ = false;
  bool exchanged_ = false;     ///< something was answered before the silence
  std::uint32_t answers_ = 0;  ///< to a control, a bit each
  Outcome outcome_ = Outcome::running;
};

}  // namespace ue::probe
