#pragma once
#include <optional>

#include "base/time.h"

namespace ue::probe {

/// When to ask the reflector over TCP, and what asking has shown about TCP itself. Passive; owned by
/// PathProber.
class Asking {
 public:
  enum class Need : std::uint8_t {
    none,
    routine,  ///< the instance should be known before it is needed
    settle,   ///< probes wait to be attributed
    urgent,   ///< the steady flow has lost its replies
    watch,    ///< concluded: is it still so?
  };

  /// When the next question is due under `need`; nothing while one is under way.
  std::optional<Instant> due(Need need) const {
    if (under_way_ || need == Need::none) return std::nullopt;
    return last_ ? *last_ + spacing(need) : Instant{};
  }
  void asked(Instant now);
  /// `own`: the answer came through this uplink; without an answer at all, `answered` is false.
  void done(Instant now, bool answered, bool own);
  /// The question is void: it says nothing about TCP.
  void give_up() { under_way_ = false; }
  void reset();

  /// An authenticated answer through this uplink: yes; two attempts in a row without: no; older than 90 s:
  /// unknown.
  std::optional<bool> tcp_works(Instant now) const;
  /// Since when every question has been answered through this uplink.
  std::optional<Instant> answered_since() const { return answered_since_; }
  std::optional<Instant> own_answer() const { return own_answer_; }  ///< the newest
  bool asked_ever() const { return last_.has_value(); }
  /// Since when questions have been answered by nobody; nothing while they are.
  std::optional<Instant> mute_since() const { return mute_since_; }
  /// From when the first of them was asked to when the newest was: so long at least is nobody there.
  Nanos mute_for() const { return mute_since_ ? mute_asked_ - first_mute_asked_ : Nanos::zero(); }

 private:
  Nanos spacing(Need need) const;

  std::optional<Instant> last_;
  std::optional<Instant> own_answer_;
  std::optional<Instant> own_failure_;
  std::optional<Instant> mute_since_;
  Instant first_mute_asked_{};
  Instant mute_asked_{};
  std::optional<Instant> answered_since_;
  int own_failures_ = 0;
  int failures_ = 0;
  bool under_way_ = false;
  bool back_ = false;  ///< the newest answer through this uplink came after failures
};

}  // namespace ue::probe
