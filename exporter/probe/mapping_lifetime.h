#pragma once
#include <algorithm>
#include <deque>
#include <limits>
#include <optional>
#include <string_view>

#include "base/time.h"

namespace ue::probe {

/// How traffic has kept a mapping alive before the silence that is measured (design: L1 to L5).
enum class Pattern : std::uint8_t {
  solitary,  ///< L1: one packet out, nothing before
  exchange,  ///< L2: one exchange
  stream,    ///< L3: three seconds of exchanges
  inbound,   ///< L4: one packet out, then a train of replies
  active,    ///< L5: packets out all the time, none in
};
inline constexpr Pattern kPatterns[] = {Pattern::solitary, Pattern::exchange, Pattern::stream,
                                        Pattern::inbound, Pattern::active};
std::string_view name(Pattern p);

/// After how much silence this gateway's own connection tracker forgets a UDP flow.
struct TrackerTimeouts {
  Nanos unreplied{};  ///< one without an answer, or that has not gone both ways for two seconds
  Nanos stream{};     ///< any other
  bool operator==(const TrackerTimeouts&) const = default;
};
/// Which of them governs the silence after traffic of this pattern; nothing where packets keep going out.
std::optional<Nanos> governing(Pattern p, const TrackerTimeouts& own);

/// After how much silence a NAT forgets a mapping, from single trials that each may have lost a packet. A
/// reply after a hold is proof, a missing one is not: a hold is taken as dead by a majority of its newest
/// trials. Passive; remembers the newest trials only, so it follows a NAT that changes.
class MappingLifetime {
 public:
  /// Trials of one `batch` may fail for one reason that is not the hold: a NAT that is restarted meanwhile,
  /// say.
  void record(Nanos hold, bool came_back, std::uint32_t batch);
  /// In how many batches a bound must fail before it is no chance; for whom there is time for fewer.
  void set_batches_needed(std::uint32_t n) {
    batches_needed_ = n;
    stale_ = true;
  }
  /// What is known once a batch was recorded. `losses_needed`: so many failures in a row are no chance on
  /// this line, now. A bound that is none stays so until something comes back, although the line may lose
  /// more meanwhile, and more would have to be asked for. What is to be believed is the bracket now, unless
  /// it is shorter than it was and that may be chance.
  void conclude(std::uint32_t losses_needed);
  void clear() {
    doubt_.reset();
    believed_.reset();
    erase([](const auto&) { return true; });
  }
  /// The NAT forgets sooner than it did, after `least` already: what came back after as much says nothing any
  /// more, nor does anything of as much before that.
  void forget_from(Nanos least);
  /// What came back after `least` did not do so now. `known`: the bound that was no chance; what failed there
  /// says nothing of a shorter one.
  void contradict(Nanos least, std::optional<Nanos> known) {
    forget_from(least);
    if (known) erase([known](const auto& t) { return t.hold >= *known; });
  }
  /// The same, for now: should `least` come back after all, nothing has happened.
  void doubt(Nanos least, std::optional<Nanos> known);
  /// Whether it is chance will not be found out: the bracket as it is has to do.
  void settle() {
    doubt_.reset();
    believed_ = bracket();
  }
  /// It remembers longer than it did: what did not come back after `than` says nothing any more.
  void forget_longer(Nanos than) {
    erase([than](const auto& t) { return t.hold > than; });
  }
  bool empty() const { return trials_.empty(); }

  struct Bracket {
    Nanos lower{};               ///< longest hold that came back; 0 where none did
    std::optional<Nanos> upper;  ///< shortest longer one that did not; absent: none failed
    /// Trials at `upper` or longer that failed since the newest one there that came back: so many losses in a
    /// row would it take to imitate the bound.
    std::uint32_t failures = 0;
    std::uint32_t batches = 0;  ///< that these were in
    std::uint32_t batches_needed = kBatchesNeeded;
    std::uint32_t enough = std::numeric_limits<std::uint32_t>::max();  ///< failures that were no chance once

    /// The upper bound is no chance, and was found to be none: what K is at the moment changes nothing.
    bool no_chance() const { return proven(enough); }
    /// The same where `losses_needed` are no chance now: enough failures, at different times.
    bool proven(std::uint32_t losses_needed) const {
      return upper && failures >= std::min(losses_needed, enough) && batches >= batches_needed;
    }
    static constexpr std::uint32_t kBatchesNeeded = 3;
  };
  const std::optional<Bracket>& bracket() const {
    if (stale_) bracket_ = find_bracket();
    stale_ = false;
    return bracket_;
  }
  /// What is to be believed, since the last batch.
  const std::optional<Bracket>& believed() const { return believed_; }

 private:
  struct Trial {
    Nanos hold;
    bool came_back;
    std::uint32_t batch;
  };
  struct Doubt {
    Nanos least;
    std::deque<Trial> trials;  ///< from before
  };
  template <class Which>
  void erase(Which which) {
    std::erase_if(trials_, which);
    stale_ = true;
  }
  std::optional<Bracket> find_bracket() const;

  static constexpr std::size_t kRemembered = 96;
  static constexpr int kMajorityOf = 3;

  std::uint32_t batches_needed_ = Bracket::kBatchesNeeded;
  std::uint32_t enough_ = std::numeric_limits<std::uint32_t>::max();
  std::deque<Trial> trials_;  ///< newest last
  mutable std::optional<Bracket> bracket_;
  std::optional<Bracket> believed_;
  std::optional<Doubt> doubt_;
  mutable bool stale_ = false;  ///< what it is found from has changed since
};

/// The gateway itself forgets within the bracket, so its upper bound says nothing about a carrier's NAT. Who
/// survived the gateway's time-out is not held back by it.
bool is_own_bound(const MappingLifetime::Bracket& bracket, Nanos own);

}  // namespace ue::probe
