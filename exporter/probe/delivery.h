#pragma once
#include <optional>
#include <set>
#include <vector>

#include "probe/flow.h"
#include "probe/loss_model.h"
#include "stamp/query.h"

namespace ue::probe {

/// What the newest query answer says about the unanswered probes of a path: did they arrive there? Passive;
/// owned by PathProber, fed one report a flow.
class Delivery {
 public:
  struct Answer {
    Instant received{};
    Instant asked{};
    bool credible = false;     ///< this instance may say that packets did not arrive ...
    Instant instance_since{};  ///< ... of those that were sent since then
    /// When the steady flow's silence began.
    std::optional<Instant> silent_since = std::nullopt;
    /// When the newest probe that was answered was sent; what was said of probes before is another series.
    std::optional<Instant> newest_answered = std::nullopt;
    /// What this answer is to prove is known for long: less is needed for it to stand.
    bool proven_before = false;
    bool own = true;  ///< through this uplink: its TCP works
    /// So many losses in a row are no chance.
    std::uint32_t losses_needed = LossModel::kMostNeeded;
  };
  /// Begins a new answer; its reports follow.
  void begin(const Answer& answer);
  /// `stands_for_tunnel`: it is the steady flow, whose silence is the question, or one that is known to share
  /// it. A few of its probes prove that packets arrive; the odd probe of another flow may have lost its reply
  /// by chance.
  void add(const Flow& flow, const stamp::FlowReport& report, bool stands_for_tunnel);
  void clear() { *this = Delivery(); }

  /// yes: `losses_needed` unanswered probes were received, over all flows, so that the loss of their replies
  /// is no chance: either the newest ones of all, or with at least three of the steady flow's present silence
  /// and most of its newest among them. Fewer may have lost their replies before an outage began, or after
  /// it.
  ///
  /// no: none was of at least `losses_needed`, over all flows, that were sent since answers through this
  /// uplink, and so its TCP, have come: neither the beginning nor the end of an outage looks so.
  ///
  /// `silent_since`: when that silence began; an answer about another one says nothing.
  std::optional<bool> arrived(Instant now, std::optional<Instant> silent_since,
                              std::uint32_t losses_needed) const;
  std::uint32_t delivered() const { return delivered_; }
  std::optional<Instant> asked() const { return answer_ ? std::optional(answer_->asked) : std::nullopt; }
  /// Since when answers, and so TCP, have come while they deny that packets arrived; nothing where the newest
  /// one does not, or tells of one that was sent since and did.
  std::optional<Instant> denying_since() const {
    const bool denies = denied_in_a_row_ > 0 && !recent() && arrivals_since(denying_since_) == 0;
    return denies ? denying_since_ : std::nullopt;
  }
  /// Nothing arrives any more, whatever did before: none of the newest probes has, over all flows, so many
  /// that it is no chance, as two answers in a row have it of some each. One answer alone could come right
  /// after the far end itself was cut off.
  bool nothing_arrives(Instant now) const;
  /// The newest answer proves that packets arrive in the steady flow's silence since then.
  bool proves(std::optional<Instant> silent_since, std::uint32_t losses_needed) const;

 private:
  static constexpr std::uint32_t kArrivalsNeeded = 3;
  static constexpr std::uint32_t kDenialsNeeded = 3;  ///< in an answer, to be part of nothing_arrives()

  std::uint32_t arrivals_since(std::optional<Instant> when) const;
  std::uint32_t denials_since(std::optional<Instant> when) const;
  std::optional<Instant> newest_there() const;
  std::optional<Instant> deaf_since() const;
  bool recent() const;

  std::optional<Answer> answer_;
  std::vector<Instant> arrivals_;  ///< when the unanswered probes that arrived were sent
  std::set<Instant> denials_;      ///< when those that did not were; the newest, of earlier answers too
  std::optional<Instant> newest_denied_;
  std::optional<Instant> denying_since_;  ///< of the series of answers that this one belongs to
  std::optional<Instant> deaf_since_;     ///< when the answer was asked for after which nothing arrived
  std::uint32_t delivered_ = 0;
  std::uint32_t denied_in_a_row_ = 0;    ///< pooled over flows: newest first, until one was received
  std::uint32_t denied_since_ = 0;       ///< of these, sent since denying_since_
  std::uint32_t tunnel_delivered_ = 0;   ///< of the flows that stand for a tunnel
  std::uint32_t newest_considered_ = 0;  ///< of these flows' newest few
  std::uint32_t newest_arrived_ = 0;
};

}  // namespace ue::probe
