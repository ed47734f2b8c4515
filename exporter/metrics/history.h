#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "metrics/past.h"
#include "metrics/snapshot.h"

namespace ue::metrics {

/// Notes what one snapshot after the other says, and hands it back as a Past. Owned by who publishes; told
/// the time by each snapshot. Where the wall clock is set, or a path begins anew, its series do so, too.
class History {
 public:
  static constexpr double kMinutesBin = 5;  ///< seconds; 120 of them are ten minutes
  static constexpr double kHoursBin = 120;  ///< 180 of them are six hours
  static constexpr std::size_t kMinutesBins = 120;
  static constexpr std::size_t kHoursBins = 180;
  static constexpr std::size_t kPaths = 64;    ///< those beyond have no past
  static constexpr std::size_t kChanges = 64;  ///< of one uplink's verdict; the oldest are forgotten
  static constexpr double kBatchGap = 60;      ///< s without a settled hold that end a batch

  void note(const Snapshot& snapshot);
  /// The same object until something in it changes.
  std::shared_ptr<const Past> past() const { return past_; }

 private:
  struct Totals {  ///< of a path since it began; they only grow
    std::uint64_t answered = 0;
    std::uint64_t forward_lost = 0;
    std::uint64_t return_lost = 0;
    std::uint64_t unattributed = 0;
    std::uint64_t open = 0;  ///< this one goes down again
    double rtt_sum = 0;
    std::uint64_t rtt_count = 0;
  };
  struct Filling {  ///< the bin that is not over yet
    double end = 0;
    Totals at_start;
  };
  struct Batch {
    NewestHold seen;  ///< the counters when last looked at
    NewestHold start;
    double changed = 0;
  };
  struct Track {
    Totals last;
    Filling minutes;
    Filling hours;
    std::map<std::pair<std::string, std::string>, Batch> holds;
  };

  static Totals totals(const Path& path);
  static void settle(std::vector<Bin>& bins, Bin& newest, const Totals& now);
  static bool close(Filling& filling, Series& series, std::size_t capacity, const Totals& now, double at);
  bool note_path(const Path& path, PathPast& past, double at);
  bool note_verdict(const Uplink& uplink, double at);

  std::map<std::pair<std::string, std::string>, Track> tracks_;
  Past next_;
  std::shared_ptr<const Past> past_ = std::make_shared<const Past>();
};

}  // namespace ue::metrics
