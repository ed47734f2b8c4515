#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "alert/alert.h"

namespace ue::alert {

/// Which alerts are pending, firing or over, and who is yet to be told. It does what Prometheus does between
/// a rule and an Alertmanager: waits the rule's time, says again every minute that an alert still fires, and
/// says once that it is over. Pure; owned by an AlertSender.
///
/// An Alertmanager that cannot be reached loses nothing: what still fires is told when it is back, and what
/// ended meanwhile is told as over if it had heard of it. kMaxAlerts bounds the book; what does not fit is
/// counted.
class Book {
 public:
  static constexpr std::size_t kMaxAlerts = 512;
  static constexpr std::size_t kMaxBatch = 64;  ///< messages in one post
  static constexpr Nanos kResend = std::chrono::minutes(1);
  static constexpr Nanos kValid = std::chrono::minutes(4);  ///< as Prometheus: four times the resending

  explicit Book(std::size_t receivers) : flights_(receivers) {}

  /// All conditions that hold now.
  void update(const std::vector<Condition>& conditions, const Now& now);
  /// What `receiver` is to be told now, kMaxBatch at most; empty where nothing is due or a post is under way.
  std::vector<Message> due(std::size_t receiver, const Now& now);
  /// How the post of what due() handed out ended.
  void settle(std::size_t receiver, bool delivered);

  std::size_t size() const { return alerts_.size(); }
  std::uint64_t refused() const { return refused_; }  ///< alerts for which there was no room

 private:
  struct Told {
    std::optional<Instant> at;  ///< when it was last told as firing; absent: it never heard of it
    bool over = false;
  };
  struct Alert {
    Condition condition;
    Instant since{};                ///< when the condition began to hold
    Instant held{};                 ///< when it last did
    std::optional<WallTime> fired;  ///< absent while pending
    std::optional<WallTime> ended;
    std::vector<Told> told;  ///< by receiver
  };
  struct Flight {
    bool under_way = false;
    Instant at{};
    std::map<std::string, bool> over;  ///< alert's key -> told as over
  };

  void end_what_is_over(const Now& now);

  std::map<std::string, Alert> alerts_;  ///< by labels
  std::vector<Flight> flights_;          ///< by receiver
  std::uint64_t refused_ = 0;
};

}  // namespace ue::alert
