#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "openvpn/by_name.h"
#include "openvpn/status_report.h"

namespace ue::openvpn {

/// Adds up what a server's clients transferred, by common name, over all their sessions: the counters of a
/// status begin at 0 with each session, and one name may have several at once. Pure; owned by a Tunnel. Its
/// size is bounded by the server's sessions and by kMaxClients names; of the others only the sum is kept.
class ClientLedger {
 public:
  struct Totals {
    std::uint64_t received = 0;  ///< octets since the first report
    std::uint64_t sent = 0;
    std::uint32_t sessions = 0;  ///< connected now
  };
  /// A session that the report before did not have; `first`: there was no report before.
  using OnNew = std::function<void(const StatusClient&, bool first)>;

  void apply(const StatusReport& report, const OnNew& on_new);

  const Totals& all() const { return all_; }
  /// Nothing for a name that is not known, or has no entry of its own; all() has everybody.
  const Totals* find(std::string_view name) const;
  std::uint64_t unauthenticated() const { return unauthenticated_; }  ///< sessions without a name yet
  bool empty() const { return reports_ == 0; }

 private:
  struct Session {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::uint64_t report = 0;  ///< that had it last
  };

  ByName<Session> sessions_;  ///< by name, beginning and number
  ByName<Totals> names_;
  Totals all_;
  std::uint64_t unauthenticated_ = 0;
  std::uint64_t reports_ = 0;
  std::string key_;  ///< kept for its memory
};

}  // namespace ue::openvpn
