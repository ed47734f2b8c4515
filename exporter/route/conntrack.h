#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "route/conntrack_event.h"

namespace ue::route {

/// The connection tracker's events of UDP flows. Needs CAP_NET_ADMIN. Owned by the agent, on the loop's
/// thread; never waits, keeps nothing of the table.
class ConntrackMonitor {
 public:
  /// An error says what is missing and how to grant it; `code` is its errno. `standing` is told of every UDP
  /// flow that the table holds already, as of one that begins, in one dump before the first event (about a
  /// second for a million); and of what changes about them meanwhile.
  static Result<ConntrackMonitor> open(int& code, const std::function<void(const FlowEvent&)>& standing);
  /// Over a socket that is open already and carries such messages; it is closed with the monitor.
  static ConntrackMonitor over(int fd);
  ConntrackMonitor(ConntrackMonitor&& other) noexcept { *this = std::move(other); }
  ConntrackMonitor& operator=(ConntrackMonitor&& other) noexcept;
  ~ConntrackMonitor();

  int fd() const { return fd_; }  ///< readable when drain() has something to do
  struct Drained {
    bool lost = false;  ///< events were, before those that come next
    int code = 0;       ///< errno: nothing will come any more
  };
  /// Reads what has come, some thousand events at most, so that the loop goes on.
  Drained drain(const std::function<void(const FlowEvent&)>& visit);
  /// How many times the kernel had to drop events because we were slow. Only grows.
  std::uint64_t overruns() const { return overruns_; }
  /// Events that were lost in them. Only grows.
  std::uint64_t lost() const;

 private:
  explicit ConntrackMonitor(int fd) : fd_(fd) {}
  int dump(const std::function<void(const FlowEvent&)>& standing);

  int fd_ = -1;
  std::vector<char> buffer_;
  std::uint64_t overruns_ = 0;
};

/// The table's figures, which anybody may read.
struct ConntrackTable {
  std::uint64_t entries = 0;
  std::uint64_t limit = 0;
  double udp_timeout = 0;                        ///< seconds; of a flow without an answer, and at first
  double udp_stream_timeout = 0;                 ///< seconds; of a flow that goes both ways for longer
  std::optional<std::uint64_t> early_drops;      ///< flows thrown out to make room
  std::optional<std::uint64_t> insert_failures;  ///< flows that could not be entered
  std::optional<std::uint64_t> drops;            ///< packets dropped for lack of room
};

/// False where the kernel is told to report no events (net.netfilter.nf_conntrack_events = 0).
bool conntrack_reports_events();

/// Four small files and one more; nothing where this kernel tracks no connections.
std::optional<ConntrackTable> read_conntrack_table();

/// Sums of the columns early_drop, insert_failed and drop over all processors, of the text of
/// /proc/net/stat/nf_conntrack.
void read_conntrack_statistics(const std::string& text, ConntrackTable& table);

}  // namespace ue::route
