#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/path.h"
#include "uplink/arrival_tap.h"
#include "uplink/preflight.h"

namespace ue::agent {

/// Looks whether the gateway itself keeps an uplink's probes in or their replies out, so that no carrier is
/// blamed for it: routes and reverse path filter by the kernel's tables, its refusal to send, and, while
/// replies are missing, whether these arrive on the interface and reach no socket. Owned by an UplinkRunner,
/// on the loop's thread; a path whose steady flow is answered is never at fault.
class PreflightWatch {
 public:
  /// Once a judgement; where a fault has ended the path begins anew, because what was lost in it says nothing
  /// about a carrier. Tables are read once a minute, and every five seconds while replies are missing.
  void look(const Now& now, const config::Uplink& uplink, const uplink::UplinkState& state,
            const std::vector<std::shared_ptr<Path>>& paths);
  /// The tables changed: they are read again at the next look.
  void tables_changed() { next_read_ = {}; }

  /// Part of a sentence, with the remedy; empty: nothing known is wrong.
  std::string fault(const std::string& reflector) const;
  /// By name of the check; what has not been measured is absent.
  std::map<std::string, bool> checks() const;

 private:
  struct Watched {
    uplink::Preflight tables;
    bool read = false;
    bool at_fault = false;
    std::string output;    ///< why this machine refuses to send
    std::string filtered;  ///< what shows that the reverse path filter drops what arrives
    std::string input;     ///< what shows that it drops what arrives
    bool input_known = false;
    std::unique_ptr<uplink::ArrivalTap> tap;
    bool tap_refused = false;
    std::uint64_t received_before = 0;  ///< by the path's sockets, when the tap was opened
    std::uint64_t arrived = 0;          ///< for its open sockets, since then
    std::optional<std::uint64_t> filtered_before;
  };
  static void look_at_arrivals(Watched& w, const config::Uplink& uplink, const uplink::UplinkState& state,
                               const Path& path, const probe::Observation& o);

  std::map<std::string, Watched> watched_;  ///< by reflector
  Instant next_read_{};
};

}  // namespace ue::agent
