#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "agent/questions.h"
#include "uplink/socket_error.h"

namespace ue::agent {

/// What ICMP said about a path's probes: how often, by type, and who it was. Passive; owned by a Path.
class IcmpNotes {
 public:
  void note(const uplink::IcmpError& error, Instant now);

  /// Who refused a probe in the last half minute, and how; empty: nobody.
  std::string complaint(Instant now) const;
  /// The reflector's own machine said that nobody listens there.
  const std::optional<FarEndRefusal>& refusal() const { return refusal_; }
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }  ///< by icmp_name()

 private:
  std::map<std::string, std::uint64_t> counts_;
  std::string complaint_;
  Instant complained_{};
  std::optional<FarEndRefusal> refusal_;
};

}  // namespace ue::agent
